"""The two kinds of exercise: code that a checker runs, and questions with a choice."""

from __future__ import annotations

import ast
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field

from .case import Case
from .verdict import Mistake, Verdict

Checker = Callable[[Case], Awaitable[None]]
# One name or several, or what looks into a cell.
Sign = str | Callable[[ast.Module], bool]

# What people write beside an option; any other word may say something else, such as "not".
BESIDE = {"answer", "film", "letter", "line", "option"}


@dataclass(frozen=True)
class Exercise:
    """An exercise in which the learner writes code.

    Attributes:
        checker: examines the code.
        hints: for whoever does not know how to begin, from the vague to the plain.
        mistakes: those that the checker recognises by name.
        another_way: a sentence for whoever has done it, about another right way.
        known_by: a name in the code of those who have taken that way, or several with spaces
            between them; or a function that says of a cell whether it takes that way.
        instead: the sentence for them.
    """

    checker: Checker
    hints: tuple[str, ...]
    mistakes: tuple[Mistake, ...]
    another_way: str = ""
    known_by: Sign = ""
    instead: str = ""

    def way_beside(self, source: str) -> str:
        """Return a sentence about another right way than the one that was taken.

        Args:
            source: the learner's cell.
        """
        tree = ast.parse(source)
        if isinstance(self.known_by, str):
            taken = not names(tree).isdisjoint(self.known_by.split())
        else:
            taken = self.known_by(tree)
        return self.instead if taken else self.another_way

    @property
    def module(self) -> str:
        """The module that has it; its name ends in NOTEBOOK.NAME.check."""
        return self.checker.__module__

    @property
    def name(self) -> str:
        """How the notebook calls it."""
        return _name(self.module)

    @property
    def notebook(self) -> str:
        """In which notebook it stands, such as "01_callbacks"."""
        return _notebook(self.module)


@dataclass(frozen=True)
class Choice:
    """An exercise in which the learner chooses among answers.

    Attributes:
        module: the module that has it.
        questions: for each name to be assigned, each option, and the mistake behind it, or
            `None` where the option is the right one.
        learned: what is said to a right answer.
        hints: for whoever does not know how to begin.
    """

    module: str
    questions: Mapping[str, Mapping[str, Mistake | None]]
    learned: str
    hints: tuple[str, ...] = field(default=())

    def way_beside(self, source: str) -> str:
        """Return nothing: of a choice, one option is right."""
        return ""

    @property
    def name(self) -> str:
        """How the notebook calls it."""
        return _name(self.module)

    @property
    def notebook(self) -> str:
        """In which notebook it stands."""
        return _notebook(self.module)

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        """The mistakes behind the wrong options, in their order."""
        options = [mistake for each in self.questions.values() for mistake in each.values()]
        return tuple(mistake for mistake in options if mistake)

    def judge(self, tree: ast.Module) -> Verdict:
        """Judge an answer.

        Args:
            tree: the learner's cell, such as `answer = "b"`. Only what is written there is
                looked at, nothing is run.

        Returns:
            The verdict; of several wrong answers it is about the first.
        """
        given = dict(_assigned(tree))
        for name, options in self.questions.items():
            chosen = _meant(given.get(name, ""), options)
            tried = [f"you chose {chosen} for `{name}`."] if len(self.questions) > 1 else []
            if chosen not in options:
                listing = ", ".join(f'"{option}"' for option in options)
                return Verdict(
                    self.name,
                    "wrong",
                    expected=f"`{name}` is one of {listing}",
                    got=f'`{name} = "{chosen}"`' if chosen else f"no text in `{name}`",
                    mistake="no_option",
                    hints=list(self.hints),
                )
            mistake = options[chosen]
            if mistake:
                return Verdict(
                    self.name,
                    "wrong",
                    tried=tried,
                    mistake=mistake.key,
                    looks_like=mistake.name,
                    hints=list(mistake.hints),
                )
        return Verdict(self.name, "right", note=self.learned)


def names(tree: ast.AST) -> set[object]:
    """Return all names in a cell, also those behind a dot and those of arguments.

    Args:
        tree: the cell.
    """
    keys = ("id", "attr", "name", "arg")
    return {getattr(node, key, None) for node in ast.walk(tree) for key in keys}


def _assigned(tree: ast.Module) -> list[tuple[str, str]]:
    """Return the names that a cell assigns, and the words that it assigns to them."""
    pairs: list[tuple[ast.expr, ast.expr | None]] = []
    for node in tree.body:
        match node:
            case ast.Assign(targets=targets, value=value):
                pairs += [(target, value) for target in targets]
            case ast.AnnAssign(target=target, value=value):
                pairs.append((target, value))
            case ast.Expr(value=ast.NamedExpr(target=target, value=value)):
                pairs.append((target, value))
    found = []
    while pairs:
        match pairs.pop(0):
            case (
                ast.Tuple(elts=names) | ast.List(elts=names),
                ast.Tuple(elts=values) | ast.List(elts=values),
            ):
                pairs[:0] = zip(names, values, strict=False)
            case name, ast.List(elts=[value]) | ast.Tuple(elts=[value]) | ast.Set(elts=[value]):
                pairs.insert(0, (name, value))
            case ast.Name(id=name), ast.Constant(value=str(word)):
                found.append((name, word))
            # `answer = f"c"`: out of habit.
            case ast.Name(id=name), ast.JoinedStr(values=[ast.Constant(value=str(word))]):
                found.append((name, word))
            # `answer = c`, without quotes, is as clear.
            case ast.Name(id=name), ast.Name(id=word):
                found.append((name, word))
    return [(name, word.strip().lower()) for name, word in found]


def _meant(word: str, options: Iterable[str]) -> str:
    """Return the option that is meant by such as "c)" or "line c", or the word as it is."""
    parts = re.findall(r"\w+", word)
    # One thread or many is not what is asked.
    same = {option: {option} | _numbers(option) for option in options}
    found = [option for option, words in same.items() if words & {*parts}]
    if len(found) == 1 and {*parts} - same[found[0]] <= BESIDE:
        return found[0]
    return word


def _numbers(option: str) -> set[str]:
    """Return a word in its singular and its plural, but for letters."""
    if len(option) == 1:
        return set()
    return {option.removesuffix("s"), f"{option}s", f"{option}es"} - {"proces"}


def code_exercise(
    hints: tuple[str, ...],
    *mistakes: Mistake,
    another_way: str = "",
    known_by: Sign = "",
    instead: str = "",
) -> Callable[[Checker], Exercise]:
    """Make an exercise of its checker.

    Args:
        hints: for whoever does not know how to begin, from the vague to the plain.
        *mistakes: those that the checker recognises by name.
        another_way: a sentence for whoever has done it, about another right way.
        known_by: a name in the code of those who have taken that way, or several with spaces
            between them; or a function that says of a cell whether it takes that way.
        instead: the sentence for them.
    """

    def decorate(checker: Checker) -> Exercise:
        return Exercise(checker, hints, mistakes, another_way, known_by, instead)

    return decorate


def _name(module: str) -> str:
    return module.split(".")[-2]


def _notebook(module: str) -> str:
    return module.split(".")[-3]
