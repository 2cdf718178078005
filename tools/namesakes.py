"""Files of the person's that have the name of a library, such as random.py or tornado.py.

No program of the kit takes one for the library: they look here last. Every other Python that is
started in that folder does. Standard library only.
"""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from tools.copies import WORK
from tools.paths import ROOT, VENV

MODULES = (".py", ".pyd", ".so")


def namesakes() -> list[str]:
    """Return the files and packages beside workshop.py, and in work/, that have such a name.

    Returns:
        Their paths from the folder of the kit.
    """
    libraries = {*sys.stdlib_module_names, *installed(), "sitecustomize"}
    # In work/ the kit's own packages are found before what lies there.
    ours = {each.parent.name for each in ROOT.glob("*/__init__.py")}
    found = [each for each in modules(ROOT) if each.stem in libraries]
    found += [each for each in modules(WORK) if each.stem in libraries | ours]
    return [each.relative_to(ROOT).as_posix() for each in found]


def modules(folder: Path) -> Iterator[Path]:
    """Give what Python can import from a folder by its name."""
    if folder.is_dir():
        for each in sorted(folder.iterdir()):
            if each.suffix == ".py" or (each / "__init__.py").is_file():
                yield each


def installed() -> Iterator[str]:
    """Give the names of what is installed in `.venv`."""
    for scheme in ("purelib", "platlib"):
        site = Path(sysconfig.get_path(scheme, "venv", {"base": VENV, "platbase": VENV}))
        for each in site.iterdir() if site.is_dir() else ():
            if each.is_dir() or each.suffix in MODULES:
                yield each.name.partition(".")[0]
