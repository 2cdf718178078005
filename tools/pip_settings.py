"""pip's own settings, of which set-up wants the way out of this network.

They are read here, and not asked of pip: it says nothing if it is told to be quiet, and if one
of its files has a mistake it says nothing but that.
"""

from __future__ import annotations

import configparser
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.paths import VENV
from tools.trouble import Trouble

NAME = "pip.ini" if sys.platform == "win32" else "pip.conf"
WAY_OUT = re.compile(
    "[a-z-]*index[a-z-]*|find-links|trusted-host|proxy|cert|client-cert|[a-z-]*timeout|"
    "[a-z-]*cache[a-z-]*|keyring-provider"
)
# pip takes several of these, a line for each.
LISTS = re.compile("extra-index-url|find-links|trusted-host")


@dataclass(frozen=True)
class Setting:
    """One of pip's settings.

    Attributes:
        value: as pip takes it from its environment.
        place: the file that has it, or the variable.
    """

    value: str
    place: str


def read() -> dict[str, Setting]:
    """Return the settings that say how to reach the index, by their names.

    What pip would pass over, such as a file that cannot be opened, is told in a line.

    Raises:
        Trouble: a file has a mistake.
    """
    sections: dict[str, dict[str, Setting]] = {"global": {}, "install": {}}
    for path in files():
        for section, name, value in of_file(path):
            if section in sections and WAY_OUT.fullmatch(name):
                sections[section][name] = Setting(value, str(path))
    found = {**sections["global"], **sections["install"]}
    for variable, value in os.environ.items():
        name = normalized(variable.removeprefix("PIP_"))
        if variable.startswith("PIP_") and value and WAY_OUT.fullmatch(name):
            found[name] = Setting(value, variable)
    return found


def normalized(name: str) -> str:
    """Return a name as pip takes it: of a file, or of a variable."""
    return name.lower().replace("_", "-").removeprefix("--")


def files() -> Iterator[Path]:
    """Yield pip's files, of which a later one wins; it says which of them there are."""
    named = os.environ.get("PIP_CONFIG_FILE")
    if named == os.devnull:
        return
    if named and not Path(named).exists():
        print(f"PIP_CONFIG_FILE is {named}, and there is no such file: nothing is read of it.")
    places = [*of_the_machine()]
    if not (named and Path(named).exists()):
        places += of_the_user()
    # That of the Python which people use themselves, and that of .venv.
    places += [Path(sys.prefix, NAME), VENV / NAME]
    if named:
        places.append(Path(named))
    for path in dict.fromkeys(places):
        try:
            path.open("rb").close()
        except FileNotFoundError:
            continue
        except OSError as problem:
            if os.path.lexists(path):
                print(f"pip's settings in {path} are left out: {problem.strerror}.")
        else:
            yield path


def of_the_machine() -> Iterator[Path]:
    """Yield where the settings for all users of this machine may be."""
    if sys.platform == "win32":
        yield Path(os.environ.get("PROGRAMDATA") or r"C:\ProgramData", "pip", NAME)
    elif sys.platform == "darwin":
        yield Path("/Library/Application Support/pip", NAME)
    else:
        for folder in (os.environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(os.pathsep):
            yield Path(folder, "pip", NAME)
        yield Path("/etc", NAME)


def of_the_user() -> Iterator[Path]:
    """Yield where the settings of one user may be."""
    try:
        home = Path.home()
    except RuntimeError:
        return
    if sys.platform == "win32":
        yield home / "pip" / NAME
        if roaming := os.environ.get("APPDATA"):
            yield Path(roaming, "pip", NAME)
        return
    yield home / ".pip" / NAME
    folder = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config", "pip")
    if sys.platform == "darwin":
        folder = home / ".config" / "pip"
        if (own := home / "Library" / "Application Support" / "pip").is_dir():
            folder = own
    yield folder / NAME


def of_file(path: Path) -> Iterator[tuple[str, str, str]]:
    """Yield section, name and value of each setting in a file.

    Raises:
        Trouble: the file has a mistake; the sentence names it, and the line.
    """
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(decoded(path.read_bytes()))
    except configparser.ParsingError as problem:
        line = getattr(problem, "lineno", None) or problem.errors[0][0]
        what = "stands before the first [section]"
        if not isinstance(problem, configparser.MissingSectionHeaderError):
            what = "is no NAME = VALUE"
        raise Trouble(
            f"pip's settings in {path} have a mistake, line {line} {what}: correct it, and run "
            "this again."
        ) from None
    for section in parser.sections():
        for name, raw in parser.items(section):
            setting = normalized(name)
            value = raw.strip()
            if LISTS.fullmatch(setting):
                value = " ".join(value.split())
            elif WAY_OUT.fullmatch(setting) and "\n" in value:
                raise Trouble(
                    f"pip's settings in {path} have a mistake, {name} goes on in the line "
                    "below it: let each setting begin at the left margin, and run this again."
                )
            if value:
                yield section, setting, value


def decoded(data: bytes) -> str:
    """Return the text of a file, whichever editor wrote it."""
    if b"\0" in data:
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")
