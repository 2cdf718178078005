"""Exercises in a notebook: keep an answer, check it, give a hint, unfold a solution.

    %%exercise delayed_answer
    class Late(RequestHandler): ...

keeps the cell without running it. `check("delayed_answer")` runs it, in a process of its own.
`progress()` shows which exercises are done.
"""

from __future__ import annotations

from html import escape
from typing import Any

from .catalogue import find, folders
from .examining.kinds import Choice, Exercise
from .examining.parent import examine
from .examining.verdict import Verdict
from .places import Place, next_of
from .progress import done, progress, remember
from .text import Text

__all__ = ["check", "hint", "keep", "progress", "register", "solution"]

_kept: dict[str, str] = {}
_checked: dict[str, tuple[str, Verdict]] = {}
_hinted: dict[str, int] = {}


def keep(line: str, cell: str) -> Text:
    """Keep the answer to an exercise; this is the cell magic `%%exercise NAME`.

    Args:
        line: what stands behind `%%exercise`: the exercise.
        cell: the answer.

    Returns:
        A word for the learner.

    Raises:
        NoSuchExercise: there is none of that name.
    """
    name = find(line.strip()).name
    _kept[name] = cell
    return Text(f'Kept. Now check("{name}") in the next cell.')


def check(name: str) -> Verdict:
    """Check the answer that was kept for an exercise.

    It blocks for as long as that takes: a second or two, 20 at most, and longer if the machine
    is busy.

    Args:
        name: the exercise.

    Returns:
        The verdict, which shows itself.

    Raises:
        NoSuchExercise: there is none of that name.
        RuntimeError: the answer could not be examined, through no fault of its own.
    """
    exercise = find(name)
    if name not in _kept:
        note = f"Run the cell that begins with %%exercise {name} first."
        return Verdict(name, "not done", note)
    source = _kept[name]
    before = _checked.get(name)
    verdict = examine(exercise, source)
    if verdict.state == "wrong" and before and before[0] == source:
        verdict.note = (
            "It is the same code as the last time: when you change it, run its cell as well."
        )
    if verdict.mistake != (before[1].mistake if before else ""):
        _hinted.pop(name, None)
    _checked[name] = source, verdict
    if verdict.right:
        remember(name, "done")
        verdict.note = _praise(exercise, verdict, source)
    elif verdict.state == "wrong":
        remember(name, "tried")
    return verdict


def _praise(exercise: Exercise | Choice, verdict: Verdict, source: str) -> str:
    """Return what is said of a right answer: how else it is done, and what comes next."""
    said = [verdict.note, exercise.way_beside(source)]
    following = [_told(place) for place in next_of(exercise.name, done())]
    said += [f"Next: {each}." for each in following[-1:]]
    said += [f"If there is time, before that: {each}." for each in following[:-1]]
    return " ".join(filter(None, said))


def _told(place: Place) -> str:
    more = " (more)" if place.path == "more" else ""
    return f"`{place.name}`{more}, in {place.section}"


def hint(name: str) -> Text:
    """Give one more hint for an exercise, at every call another one.

    Args:
        name: the exercise.

    Returns:
        The hint, which shows itself.

    Raises:
        NoSuchExercise: there is none of that name.
    """
    exercise = find(name)
    source, verdict = _checked.get(name, ("", Verdict(name, "not done")))
    hints, shown = verdict.hints, verdict.shown
    if verdict.state == "not done":
        hints = list(exercise.hints)
    if verdict.right:
        hints = [*exercise.hints, *filter(None, [exercise.way_beside(source)])]
    given = _hinted.get(name, shown)
    if verdict.right and not hints:
        return Text("Your answer is right, and there was no hint to it.")
    if not hints:
        return Text("There is no hint before an answer: choose one, and check it.")
    if given >= len(hints):
        return Text("That was the last hint. The solution is folded away below.")
    _hinted[name] = given + 1
    return Text(f"{hints[given]} ({given + 1} of {len(hints)})")


class Solution:
    """The solution of an exercise, folded away."""

    def __init__(self, name: str) -> None:
        notebook = find(name).notebook
        # The copy in work/, since attendees look there and not in exercises/.
        self.where = f"solutions/{notebook}/{name}.py"
        self.text = (folders()[name] / "solution.py").read_text(encoding="utf-8").strip()

    def __repr__(self) -> str:
        return f"The solution is in {self.where}"

    def _repr_html_(self) -> str:
        return (
            "<details><summary>The solution</summary>"
            f"<pre><code>{escape(self.text)}</code></pre></details>"
        )


def solution(name: str) -> Solution:
    """Show the solution of an exercise, folded away where the notebook can fold.

    Args:
        name: the exercise.

    Raises:
        NoSuchExercise: there is none of that name.
    """
    return Solution(name)


def register(shell: Any) -> None:
    """Teach `%%exercise` to a notebook.

    Args:
        shell: IPython's, as `get_ipython()` returns it.
    """
    shell.register_magic_function(keep, "cell", "exercise")
