"""The exercises of `01_callbacks`, in their order there."""

from __future__ import annotations

from .carry_error import carry_error
from .delayed_answer import delayed_answer
from .join_in_order import join_in_order
from .order_of_turns import order_of_turns

EXERCISES = (order_of_turns, delayed_answer, join_in_order, carry_error)
