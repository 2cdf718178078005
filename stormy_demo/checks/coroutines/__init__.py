"""The exercises of `02_coroutines`, in their order there."""

from __future__ import annotations

from .at_most_n import at_most_n
from .drive_generator import drive_generator
from .fallback import fallback
from .find_blocking import find_blocking
from .periodic import periodic
from .stop_when_gone import stop_when_gone
from .three_at_once import three_at_once
from .to_async import to_async
from .two_tabs import two_tabs

EXERCISES = (
    to_async,
    drive_generator,
    three_at_once,
    at_most_n,
    two_tabs,
    fallback,
    stop_when_gone,
    find_blocking,
    periodic,
)
