"""What pytest refuses, and why it has run no test, in a sentence for each.

`python3 workshop.py test` has pytest load this plugin, on the Python of `.venv`. Where tests
are spread over processes, each of these collects the tests for itself, and tells nobody what
is wrong with the words that name them. So it is handed on here, and said at the end.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, NoReturn

import pytest

from tools.paths import ROOT

# What the processes tell: why they took none of the words, and how many tests were left out.
REFUSED, LEFT_OUT = "refused", "left_out"
TOLD = pytest.StashKey[dict[str, Any]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Have an unknown option refused in one line."""

    def refuse(message: str) -> NoReturn:
        raise pytest.UsageError(f"{message} (workshop.py test --help lists the options)")

    parser.optparser.error = refuse  # type: ignore[method-assign]


def pytest_configure(config: pytest.Config) -> None:
    """Have a place for what is told."""
    config.stash[TOLD] = {}


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """Keep why words that name tests are refused."""
    try:
        return (yield)
    except pytest.UsageError as error:
        _keep(session.config, REFUSED, [*map(str, error.args)])
        raise


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Generator[None, object, object]:
    """Leave no test where an option is refused: pytest-xdist would wait for its outcome."""
    try:
        return (yield)
    except pytest.UsageError:
        items.clear()
        raise


def pytest_deselected(items: list[pytest.Item]) -> None:
    """Keep how many tests are left out."""
    if items:
        config = items[0].config
        _keep(config, LEFT_OUT, config.stash[TOLD].get(LEFT_OUT, 0) + len(items))


def _keep(config: pytest.Config, what: str, value: object) -> None:
    config.stash[TOLD][what] = value
    if hasattr(config, "workeroutput"):
        config.workeroutput[what] = value


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take what a process tells; all of them tell the same."""
    told = getattr(node, "workeroutput", {})
    node.config.stash[TOLD].update({k: told[k] for k in (REFUSED, LEFT_OUT) if k in told})


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config
) -> None:
    """Say at the end why there was nothing to run."""
    if exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
        for sentence in _sentences(config):
            terminalreporter.write_line(f"ERROR: {sentence}", red=True)


def _sentences(config: pytest.Config) -> list[str]:
    told, where = config.stash[TOLD], ", ".join(config.args)
    if REFUSED in told:
        return [_of_refusal(refusal, config.args) for refusal in told[REFUSED]]
    if LEFT_OUT not in told:
        return [f"there is no test in {where}"]
    chosen = {"-k": config.option.keyword, "-m": config.option.markexpr}
    by = " with ".join(f"{option} '{text}'" for option, text in chosen.items() if text)
    return [f"{by or 'what is said'} leaves out each test in {where}: {told[LEFT_OUT]} in all"]


def _of_refusal(refusal: str, words: list[str]) -> str:
    """Return the first line of what pytest says, since the others are for whoever knows it."""
    line = refusal.partition("\n")[0]
    test = line.removeprefix("not found: ")
    if test == line:
        return line
    # pytest leaves out the parameters, which may be what is wrong.
    like_it = [word for word in words if str(ROOT / word.partition("[")[0]) == test]
    return f"there is no test {like_it[0] if len(like_it) == 1 else test}"
