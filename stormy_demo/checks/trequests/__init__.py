"""The exercises of `03_trequests`, in their order there."""

from __future__ import annotations

from .find_lock import find_lock
from .monkey_patch import monkey_patch
from .one_host import one_host
from .polite import polite
from .way_out import way_out

EXERCISES = (
    polite,
    one_host,
    find_lock,
    monkey_patch,
    way_out,
)
