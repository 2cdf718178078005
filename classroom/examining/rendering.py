"""How a verdict tells of values, exceptions, answers and lines of code."""

from __future__ import annotations

import re
from collections.abc import Sequence

from loopfilm import NO_ANSWER, Answer

# Seconds. What takes milliseconds and has not happened by then is taken never to happen.
GIVE_UP_AFTER = 2.0
MOST_SHOWN = 200  # characters of a value

# What ends a line to those who show text, but not to Python.
_ODD_ENDS = re.compile("[\v\f\x1c-\x1e\x85\u2028\u2029]")


def answers_in_words(answers: Sequence[Answer]) -> str:
    """Return what visitors got, in words."""
    words = [
        f"no answer within {GIVE_UP_AFTER:g} seconds"
        if answer.status == NO_ANSWER
        else f"{answer.status} and {shown(answer.body)}"
        for answer in answers
    ]
    same = len(words) > 1 and len(set(words)) == 1
    return (f"each of them: {words[0]}" if same else "; ".join(words)) + "."


def quoted(source: str, number: int) -> str:
    """Return a line of a cell with its number, as the learner sees it: line 1 is the magic."""
    # What ends a line to Python; `splitlines` also counts form feeds and more.
    lines = ["", *re.split(r"\r\n|\r|\n", source)]
    text = lines[number - 1].strip() if 0 < number <= len(lines) else ""
    return f"line {number}: `{_without_odd_ends(text)}`" if text else ""


def described(error: BaseException) -> str:
    """Return an exception as the last line of a traceback has it."""
    try:
        text = f"{type(error).__name__}: {error}"
    except Exception:
        text = f"{type(error).__name__}: it cannot be shown"
    return _plain(text.removesuffix(": "))


def shown(value: object) -> str:
    """Return a value as text, whatever it is, and not too long."""
    if isinstance(value, list | tuple) and value:
        kinds = {type(each) for each in value}
        if len(kinds) == 1 and (kind := kinds.pop()).__module__ != "builtins":
            return f"a {type(value).__name__} of {len(value)} {kind.__name__}"
    try:
        text = repr(value)
    except Exception as error:
        text = f"a {type(value).__name__} that cannot be shown ({described(error)})"
    return _plain(text)


def _plain(text: str) -> str:
    # An address in memory differs in every run.
    text = re.sub(r" at 0x[0-9a-fA-F]+", "", text)
    # The folder of a file depends on the machine.
    text = re.sub(r"(?<![\w/])(/[^\s:'\"]+)+/(?=[\w.<>-]+:\d)", "", text)
    # A lone surrogate cannot be encoded, and so not be sent to a notebook.
    text = _without_odd_ends(text).encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= MOST_SHOWN else text[:MOST_SHOWN] + " ..."


def _without_odd_ends(text: str) -> str:
    """Return text with names for what breaks lines elsewhere than in Python."""
    return _ODD_ENDS.sub(lambda end: end[0].encode("unicode_escape").decode(), text)
