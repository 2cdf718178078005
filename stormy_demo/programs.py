"""Which modules of a folder are programs, and what each is for."""

from __future__ import annotations

import ast
from pathlib import Path


def programs(folder: Path) -> dict[str, str]:
    """Find them without importing any, since one may want a package that is not installed.

    Args:
        folder: where the modules are.

    Returns:
        The name of each, such as "chat", with the first line of its docstring.
    """
    found = {}
    for path in sorted(folder.glob("*.py")):
        source = path.read_text("utf-8")
        if '\nif __name__ == "__main__":\n' in source:
            found[path.stem] = (ast.get_docstring(ast.parse(source)) or "").partition("\n")[0]
    return found


def tell(package: str, folder: Path) -> None:
    """Print how to start each.

    Args:
        package: the package whose modules they are.
        folder: where that is.
    """
    print("Programs, each of which says with --help what it takes:\n")
    for name, about in programs(folder).items():
        print(f"python -m {package}.{name}\n    {about}")
