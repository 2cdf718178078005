"""What a check has to say: done or not, what was tried, and which mistake it looks like."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from html import escape
from typing import Any, NamedTuple

from loopfilm import as_image
from loopfilm.picture import GREEN, RED

from . import blocking

MOST_PRINTED = 10  # lines of the learner's own that are shown
# Before each line of the server's log among them: a character that nobody prints, and what is
# shown of it.
UNPRINTED = "\x01"
LOGGED = f"{UNPRINTED}log: "

# The state of a verdict that says nothing of the answer, since the checker itself failed.
FAILED = "failed"

# Those of the films. Each stands beside its word, so that the colour alone says nothing.
COLOURS = {"right": GREEN, "wrong": RED, "not done": "#8a949e"}
HOLDING = "A handler that holds the loop:"
HEADINGS = {"right": "Right.", "wrong": "Not right yet.", "not done": "Not done yet."}


class Mistake(NamedTuple):
    """A way to get something wrong that has a name, since people do it again and again.

    Attributes:
        key: what tests call it, and a wrong answer's file.
        name: what to call it in a verdict, as in "This looks like ...".
        hints: from the vague to the plain. The first is shown at once.
    """

    key: str
    name: str
    hints: tuple[str, ...]


@dataclass
class Verdict:
    """What is said of an answer.

    It shows itself as text, and in a notebook with a film if there is one.

    Attributes:
        exercise: which exercise it is about.
        state: "right", "wrong" or "not done".
        note: a sentence about it as a whole.
        tried: what the check did, one sentence for each step; the last one is where it went
            wrong, if it did.
        expected: what should have come out of that step.
        got: what came out.
        mistake: the key of the mistake that this looks like, if it looks like one.
        looks_like: the name of that mistake.
        hints: what may help; `answers.hint` shows more than the first.
        said: what the learner's code printed, and the server's log.
        stalled: whether the machine stood still for a while, so that it should be tried again.
        svg: a film of it.
        alt: that film in words.
        beside: whether the film of a handler that holds the loop is shown as well.
    """

    exercise: str
    state: str = "right"
    note: str = ""
    tried: list[str] = field(default_factory=list)
    expected: str = ""
    got: str = ""
    mistake: str = ""
    looks_like: str = ""
    hints: list[str] = field(default_factory=list)
    said: str = ""
    stalled: bool = False
    svg: str = ""
    alt: str = ""
    beside: bool = False

    @property
    def right(self) -> bool:
        """Whether the answer is right."""
        return self.state == "right"

    @property
    def shown(self) -> int:
        """How many of the hints are shown without being asked for."""
        return 1 if self.state == "wrong" else 0

    def as_data(self) -> dict[str, Any]:
        """Return it as something that JSON can carry; `from_data` is the way back."""
        return asdict(self)

    @classmethod
    def from_data(cls, data: Any) -> Verdict:
        """Return what `as_data` was made of.

        Raises:
            TypeError: it was made of nothing like that.
        """
        verdict = cls(**data)
        like = cls("", "right")
        for each in fields(cls):
            value, kind = getattr(verdict, each.name), type(getattr(like, each.name))
            texts = value if kind is list else []
            if type(value) is not kind or not all(isinstance(text, str) for text in texts):
                raise TypeError(f"{each.name} is {value!r}")
        if verdict.state not in (*HEADINGS, FAILED):
            raise TypeError(f"there is no state {verdict.state!r}")
        return verdict

    def rows(self) -> list[tuple[str, str]]:
        """Return what there is to say, each with a word in front of it."""
        tried = self.tried if self.state == "right" else self.tried[-1:]
        rows = [("Tried", "\n".join(tried))]
        rows += [("Expected", self.expected), ("Got", self.got)]
        rows += [("It looks like", self.looks_like)]
        rows += [("Hint", hint) for hint in self.hints[: self.shown]]
        # The log of a right answer has the errors that were wanted of it, and that of one which
        # replaces a name has errors of code that is nobody's here.
        hidden = self.right or self.mistake == "replaced"
        lines = [
            line.removeprefix(UNPRINTED)
            for line in self.said.splitlines()
            if not (hidden and line.startswith(LOGGED))
        ]
        more = [] if len(lines) <= MOST_PRINTED else ["..."]
        rows.append(("Printed", "\n".join(lines[:MOST_PRINTED] + more)))
        if len(self.hints) > self.shown:
            word = "One more hint" if self.shown else "A hint"
            rows.append((word, f'`hint("{self.exercise}")`'))
        return [(word, text) for word, text in rows if text]

    def __str__(self) -> str:
        rows = self.rows()
        width = max((len(word) for word, _ in rows), default=0) + 2
        lines = [f"{HEADINGS[self.state]} {self.note}".rstrip()]
        for word, text in rows:
            first, *more = text.splitlines()
            lines.append(f"{word + ':':<{width}}{first}")
            lines += [" " * width + line for line in more]
        if self.alt:
            lines.append(f"Film: {self.alt}")
        if self.beside:
            lines.append(f"{HOLDING} {blocking.kept()[1]}")
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<dt><b>{escape(word)}</b></dt>"
            f'<dd style="white-space: pre-wrap">{_with_code(text)}</dd>'
            for word, text in self.rows()
        )
        note = _with_code(self.note)
        picture = as_image(self.svg, self.alt) if self.svg else ""
        if self.beside:
            picture += f"<p>{HOLDING}</p>{as_image(*blocking.kept())}"
        style = f"border-left: 5px solid {COLOURS[self.state]}; padding: 2px 0 2px 14px"
        return (
            f'<div style="{style}"><p><b>{HEADINGS[self.state]}</b> {note}</p>'
            f"<dl>{rows}</dl>{picture}</div>"
        )


def _with_code(text: str) -> str:
    """Return text as HTML, with what stands between backquotes as code."""
    parts = escape(text).split("`")
    if len(parts) % 2 == 0:
        return escape(text)
    return "".join(
        f"<code>{part}</code>" if number % 2 else part for number, part in enumerate(parts)
    )
