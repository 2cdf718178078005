"""Whoever gives the talk this time: a name on the title, beside that of 2013."""

from __future__ import annotations

import tomllib
from html import escape
from pathlib import Path

from slides.making.notebook import CannotBuild


def name(file: Path) -> str:
    """Return the name in a file, or nothing if there is no such file.

    Args:
        file: TOML, with the line `name = "..."`.

    Raises:
        CannotBuild: it is no TOML, or has no name.
    """
    try:
        said = tomllib.loads(file.read_text(encoding="utf-8")).get("name")
    except FileNotFoundError:
        return ""
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as why:
        raise CannotBuild(f"{file.name} cannot be read: {why}.") from None
    if not isinstance(said, str) or not said.strip():
        raise CannotBuild(f'{file.name} has no name: it wants a line such as name = "Ada".')
    return said.strip()


def line(speaker: str) -> str:
    """Return what the title says of a speaker, as Markdown; nothing if there is none."""
    return f"\n\nGiven today by **{escape(speaker, quote=False)}**" if speaker else ""
