"""What the upstream sends, and on what way: one kind for each group of rows."""

from __future__ import annotations

from typing import NamedTuple

from .figures import BASELINE, OURS, USUAL

# The modes that are measured with kinds that are not the usual one.
SOME = (
    *(BASELINE, "raw curl", "trequests simple", "trequests curl", OURS),
    *("200 threads", "gevent"),
)


class Kind(NamedTuple):
    """A kind of answer, and of request.

    Attributes:
        name: what it is called in the rows.
        size: of the upstream's body, in bytes; 0 is that of a short one.
        tls: whether the upstream wants TLS.
        each: whether each request is made with `requests.get`, which makes a session for it.
        longer: how many times as long as others it is measured. A client that shakes hands
            anew for each request gives its first answers after more than a second.
    """

    name: str = USUAL
    size: int = 0
    tls: bool = False
    each: bool = False
    longer: int = 1

    @property
    def program(self) -> str:
        """Which programs serve it: a longer answer needs no others than a short one."""
        return self.name if self.tls or self.each else USUAL

    def modes(self, all_modes: list[str]) -> list[str]:
        """Return those of some modes that are measured with it."""
        if self.name == USUAL:
            return all_modes
        return [m for m in all_modes if m in SOME and not (self.each and m == "raw curl")]


KINDS = (
    Kind(),
    Kind("20 kB", size=20_000),
    Kind("1 MB", size=1_000_000),
    Kind("TLS", tls=True, longer=4),
    Kind("requests.get()", each=True),
)
