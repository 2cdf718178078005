"""Which file of a package of npm is at which address that nbconvert's own deck asks for.

The addresses are nbconvert's defaults, and are asked of nbconvert: should it move on to newer
versions, this says so, and does not answer with older ones.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).resolve().parents[2]
MODULES = ROOT / "slides" / "npm" / "node_modules"
BRINGS = "`npm ci --prefix slides/npm` brings it"

# A version that is not on npm, and the nearest one that is.
NEAREST = {("jquery", "2.0.3"): "2.1.0"}
VERSION = re.compile(r"\d+\.\d+\.\d+")


class CannotCompare(Exception):
    """Why nothing can be measured here, in a sentence that says what to do."""


@dataclass(frozen=True)
class Shelf:
    """What begins with an address is in a folder; or the address is that of one file."""

    address: str
    place: Path


def nbconverts_addresses() -> dict[str, str]:
    """Return from where nbconvert's deck fetches what, by the name on npm."""
    from nbconvert.exporters import SlidesExporter

    exporter = SlidesExporter()
    return {
        "reveal.js": exporter.reveal_url_prefix,
        "jquery": exporter.jquery_url,
        "requirejs": exporter.require_js_url,
        "mathjax": exporter.mathjax_url,
        "mermaid": exporter.mermaid_js_url,
    }


def version_of(name: str, modules: Path) -> str:
    """Return which version of a package npm installed.

    Raises:
        CannotCompare: none.
    """
    try:
        about = json.loads((modules / name / "package.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CannotCompare(f"The package {name} of npm is not here: {BRINGS}.") from None
    return str(about["version"])


def shelves(addresses: Mapping[str, str], modules: Path) -> list[Shelf]:
    """Say where the packages are that are meant by the addresses.

    Args:
        addresses: by the name of the package, one of its files or its folder.
        modules: the folder in which npm installed the packages.

    Raises:
        CannotCompare: one of them is not there, or is there in another version.
    """
    found = []
    for name, address in addresses.items():
        here = version_of(name, modules)
        asked = VERSION.search(address)
        wanted = asked[0] if asked else ""
        if here != NEAREST.get((name, wanted), wanted):
            raise CannotCompare(
                f"nbconvert's deck asks for {name} {wanted}, and {here} is here: put that"
                " version into slides/npm/package.json, and run"
                " `npm install --prefix slides/npm`."
            )
        found.append(_shelf(name, urlsplit(address)._replace(query="").geturl(), modules))
    return found


def _shelf(name: str, address: str, modules: Path) -> Shelf:
    """Say where a package is; each has a layout of its own, on npm and elsewhere."""
    folder = f"{address.rpartition('/')[0]}/"
    match name:
        case "jquery":
            return Shelf(address, modules / name / "dist" / "jquery.min.js")
        case "requirejs":
            # On npm it is as it was written, 80 kB for 15.
            return Shelf(address, modules / name / "require.js")
        case "mermaid":
            return Shelf(folder, modules / name / "dist")
        case "mathjax":
            return Shelf(folder, modules / name)
        case _:
            return Shelf(f"{address.rstrip('/')}/", modules / name)


def file_at(address: str, known: list[Shelf]) -> Path | None:
    """Return the file at an address outside, or None if no package has it."""
    address = unquote(urlsplit(address)._replace(query="", fragment="").geturl())
    for shelf in known:
        if shelf.address == address and shelf.place.is_file():
            return shelf.place
        if shelf.address.endswith("/") and address.startswith(shelf.address):
            path = (shelf.place / address.removeprefix(shelf.address)).resolve()
            if path.is_relative_to(shelf.place.resolve()) and path.is_file():
                return path
    return None
