"""Find what somebody has named on a command line: in a module, or in a file."""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType


class NotFound(Exception):
    """There is nothing of that name."""


def find(module: str, name: str) -> object:
    """Import a module, and return what has a name in it.

    Args:
        module: the dotted name of a module, or the path to a .py file. The folder of a file
            is where it can import from, as when Python runs it; a file in a package is
            imported as a part of that.
        name: a name in the module, or several with dots between them.

    Returns:
        What has that name.

    Raises:
        NotFound: there is no such module, file, or name.
        BaseException: whatever the module raised when it was imported.
    """
    # What the words of the command line mean is not the module's affair.
    sys.argv = [module]
    is_path = module.endswith(".py") or "/" in module or os.sep in module
    found: object = _in_file(Path(module)) if is_path else _named(module)
    for part in name.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            close = difflib.get_close_matches(part, dir(found), n=1)
            hint = f"; did you mean {close[0]}?" if close else ""
            raise NotFound(f"there is no {name} in {module}{hint}") from None
    return found


def _named(module: str) -> ModuleType:
    if not all(part.isidentifier() for part in module.split(".")):
        raise NotFound(f"{module!r} is no name of a module, nor a path to a .py file")
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        # Or else it is there, and imports something that is not.
        if error.name and f"{module}.".startswith(f"{error.name}."):
            raise NotFound(
                f"there is no module {error.name} installed, and Python was told by -P or"
                f" PYTHONSAFEPATH not to look into {Path.cwd()}; a path to a .py file will do"
                if sys.flags.safe_path
                else f"there is no module {error.name} in {Path.cwd()}, or installed"
            ) from None
        raise


def _in_file(path: Path) -> ModuleType:
    if path.suffix != ".py" or not path.is_file():
        raise NotFound(f"there is no file {path}" + ("" if path.suffix == ".py" else ".py"))
    path = path.resolve()
    folder, names = path.parent, [path.stem]
    while (folder / "__init__.py").is_file() and folder.name.isidentifier():
        names.insert(0, folder.name)
        folder = folder.parent
    sys.path.insert(0, str(folder))
    if len(names) > 1:
        return importlib.import_module(".".join(names).removesuffix(".__init__"))
    # By its place: its name may be that of a module which everybody uses, such as "queue".
    name = path.stem if path.stem not in sys.modules else f"{path.stem} of {path.parent}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
