"""Which file of a package of npm is at which address that nbconvert's own deck asks for.

The addresses are nbconvert's defaults, and are read from nbconvert. If a new nbconvert asks for
newer versions than npm installed, that is an error, and nothing older is given instead.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from slides.paths import SLIDES

MODULES = SLIDES / "npm" / "node_modules"
BRINGS = "`npm ci --prefix slides/npm` brings it"

# Versions that are not on npm, each with the nearest one that is.
NEAREST = {("jquery", "2.0.3"): "2.1.0"}
VERSION = re.compile(r"\d+\.\d+\.\d+")


class CannotCompare(Exception):
    """Why nothing can be measured here, in a sentence that says what to do."""


@dataclass(frozen=True)
class Mirror:
    """A file or a folder here that has what is at an address outside.

    Attributes:
        address: of one file; or, where it ends with a slash, what the addresses of all files in
            the folder begin with.
        path: the file, or the folder.
    """

    address: str
    path: Path


def nbconverts_addresses() -> dict[str, str]:
    """Return the addresses from which nbconvert's deck fetches packages, by the name on npm."""
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

    Args:
        name: the package.
        modules: the folder in which npm installed it.

    Raises:
        CannotCompare: npm did not install it.
    """
    try:
        about = json.loads((modules / name / "package.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CannotCompare(f"The package {name} of npm is not here: {BRINGS}.") from None
    return str(about["version"])


def mirrors(addresses: Mapping[str, str], modules: Path) -> list[Mirror]:
    """Find the packages that the addresses lead to.

    Args:
        addresses: by the name of the package, one of its files or its folder.
        modules: the folder in which npm installed the packages.

    Raises:
        CannotCompare: one of them is not there, or is there in another version.
    """
    found = []
    for name, address in addresses.items():
        installed = version_of(name, modules)
        asked = VERSION.search(address)
        wanted = asked[0] if asked else ""
        if installed != NEAREST.get((name, wanted), wanted):
            raise CannotCompare(
                f"nbconvert's deck asks for {name} {wanted}, and {installed} is here: put that"
                " version into slides/npm/package.json, and run"
                " `npm install --prefix slides/npm`."
            )
        found.append(_mirror(name, urlsplit(address)._replace(query="").geturl(), modules))
    return found


def _mirror(name: str, address: str, modules: Path) -> Mirror:
    """Say where a package is: its layout on npm is not always that at the address."""
    folder = f"{address.rpartition('/')[0]}/"
    match name:
        case "jquery":
            return Mirror(address, modules / name / "dist" / "jquery.min.js")
        case "requirejs":
            # On npm it is not minified, and has 80 kB instead of 15.
            return Mirror(address, modules / name / "require.js")
        case "mermaid":
            return Mirror(folder, modules / name / "dist")
        case "mathjax":
            return Mirror(folder, modules / name)
        case _:
            return Mirror(f"{address.rstrip('/')}/", modules / name)


def file_at(address: str, known: list[Mirror]) -> Path | None:
    """Return the file that is at an address outside, or None if no package has it."""
    address = unquote(urlsplit(address)._replace(query="", fragment="").geturl())
    for mirror in known:
        if mirror.address == address and mirror.path.is_file():
            return mirror.path
        if mirror.address.endswith("/") and address.startswith(mirror.address):
            path = (mirror.path / address.removeprefix(mirror.address)).resolve()
            if path.is_relative_to(mirror.path.resolve()) and path.is_file():
                return path
    return None
