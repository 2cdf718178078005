"""What is said where a package that signing in needs cannot be imported."""

from __future__ import annotations


def missing_part(error: ImportError) -> ImportError:
    """Return the error that says what to install.

    Args:
        error: what the import raised.
    """
    return ImportError(
        "Signing in needs authlib, flask and oidc-provider-mock, and one part cannot be "
        f"imported, {error.name}: pip install authlib flask 'oidc-provider-mock<0.4'",
        name=error.name,
    )
