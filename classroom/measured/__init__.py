"""What was measured, as tables and pictures for the notebooks; figures are of `benchmarks/`."""

from ..paths import RESULTS
from .bars import Bars, Picture
from .chats import chat, idle_chat
from .engines import clients, conformance, rps, suites
from .results import NotMeasured, Result, result
from .tables import Table

__all__ = [
    "RESULTS",
    "Bars",
    "NotMeasured",
    "Picture",
    "Result",
    "Table",
    "chat",
    "clients",
    "conformance",
    "idle_chat",
    "result",
    "rps",
    "suites",
]
