"""What people have set for pip: the way out of some networks, never lost in silence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.addresses import nobody_listens

from .row import Place, Row


def settings(text: str | bytes) -> Callable[[Place], Path]:
    """Give pip a file of settings, in which INDEX is an index that refuses every connection."""

    def lay(place: Place) -> Path:
        url = place.leaving.enter_context(nobody_listens())
        data = text if isinstance(text, bytes) else text.encode()
        file = place.write(place.spare / "pip.conf", data.replace(b"INDEX", url.encode()))
        place.environment |= {
            "PIP_CONFIG_FILE": str(file),
            "PIP_FIND_LINKS": str(place.spare),
            "PIP_CACHE_DIR": str(place.spare / "pip"),
            "UV_CACHE_DIR": str(place.spare / "uv"),
        }
        return file

    return lay


def very_quiet(place: Place) -> None:
    """Have pip say nothing, with an index that refuses in a file that is not in UTF-8."""
    settings("# für alle\n[global]\nquiet = 3\nindex-url = INDEX\n".encode("latin-1"))(place)
    place.environment["PIP_QUIET"] = "3"


def no_certificate(place: Place) -> None:
    """Name a file of certificates that is not there."""
    settings("[global]\ncert = /nowhere/house.pem\nindex-url = https://localhost:1\n")(place)
    # pip's library looks at these first.
    place.environment |= dict.fromkeys(("PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"), "")


def missing(place: Place) -> None:
    """Name a file of settings that is not there."""
    place.environment["PIP_CONFIG_FILE"] = str(place.spare / "nowhere.conf")


ROWS = [
    Row(
        what="`quiet` in pip.conf and `PIP_QUIET=3`, with an index of the house that is down",
        sees="the packages cannot be fetched",
        lay=very_quiet,
        do=("bench", "styles"),
        code=1,
        small=True,
    ),
    Row(
        what="a pip.conf without its first line, `[global]`",
        sees="pip.conf have a mistake, line 1 stands before the first [section]: correct it",
        lay=settings("index-url = INDEX\n"),
        do=("bench", "styles"),
        code=1,
        small=True,
    ),
    Row(
        what="a pip.conf in which a line is no setting",
        sees="pip.conf have a mistake, line 3 is no NAME = VALUE: correct it",
        lay=settings("[global]\nindex-url = INDEX\nproxy http\n"),
        do=("bench", "styles"),
        code=1,
        small=True,
    ),
    Row(
        what="a pip.conf with a value that pip does not take",
        sees="pip.conf: correct it, and run this again",
        lay=settings("[global]\ntimeout = soon\nindex-url = INDEX\n"),
        do=("bench", "styles"),
        code=1,
        small=True,
    ),
    Row(
        what="a certificate in pip's settings that is not there",
        sees="pip is told of a file of certificates that is not there",
        lay=no_certificate,
        do=("bench", "styles"),
        code=1,
        small=True,
    ),
    Row(
        what="`PIP_CONFIG_FILE` with a slip of the pen",
        sees="there is no such file: nothing is read of it.",
        lay=missing,
        do=("bench", "styles"),
        small=True,
    ),
]
