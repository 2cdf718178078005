"""What a notebook needs besides servers: predictions, source, logs, a loop to play on.

Exercises too: to import this in a notebook brings `%%exercise`, see `answers`, and a sentence
for predictions without quotes, see `unquoted`.
"""

import sys

from . import answers, unquoted
from .answers import check, hint, solution
from .catalogue import material
from .log import logs
from .predictions import predict
from .scripts import as_a_program, in_a_process, on_a_loop
from .source import count_lines, show

__all__ = [
    "as_a_program",
    "check",
    "count_lines",
    "hint",
    "in_a_process",
    "logs",
    "material",
    "on_a_loop",
    "predict",
    "show",
    "solution",
]

_ipython = sys.modules.get("IPython")
if _shell := _ipython and _ipython.get_ipython():
    answers.register(_shell)
    unquoted.register(_shell)
