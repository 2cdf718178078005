"""Where messages are kept: the same few methods for each database, chosen by its address."""

from __future__ import annotations

from importlib import import_module

from .store import Gone, Store

# By the scheme of the address: the module, its class, and what has to be installed.
KINDS = {
    "sqlite": ("sqlite", "SqliteStore", "aiosqlite"),
    "mongodb": ("mongo", "MongoStore", "pymongo"),
    "postgres": ("postgres", "PostgresStore", "'psycopg[binary]'"),
    "postgresql": ("postgres", "PostgresStore", "'psycopg[binary]'"),
}

__all__ = ["Gone", "Store", "store_for"]


def store_for(url: str, patience: float = 5.0) -> Store:
    """Return the store for a database; nothing is sent to it yet.

    Args:
        url: "sqlite:" for one in memory, "sqlite:FILE", "mongodb://..." or "postgresql://...".
        patience: seconds for a visitor who asks it.

    Raises:
        ImportError: the driver is not installed; it says which.
        ValueError: the address is of no such database, or the patience is nothing.
    """
    scheme, colon, _ = url.partition(":")
    if not colon or scheme not in KINDS:
        raise ValueError(f"a database is {':, '.join(KINDS)}:, and not {scheme!r}")
    module, name, package = KINDS[scheme]
    try:
        kind = getattr(import_module(f".{module}", __name__), name)
    except ImportError as error:
        raise ImportError(
            f"{scheme}: cannot be asked, since {error.name} cannot be imported: "
            f"pip install {package}",
            name=error.name,
        ) from error
    store: Store = kind(url, patience)
    return store
