"""The exercises of `02_coroutines`, in their order there."""

from __future__ import annotations

from ..exercise import Choice, Exercise

EXERCISES: tuple[Exercise | Choice, ...] = ()
