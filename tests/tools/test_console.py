"""What no row of the table can show: the other ways to start the door are tried there."""

from __future__ import annotations

import io
import subprocess
import sys

import pytest

from tests.paths import ROOT
from tools import console


class Window(io.StringIO):
    def isatty(self) -> bool:
        return True


def in_a_window(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Be in a window of Windows that a double click has opened, and return what is asked."""
    words: list[str] = []
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.delenv("PROMPT", raising=False)
    for name in ("stdin", "stdout"):
        monkeypatch.setattr(sys, name, Window())
    monkeypatch.setattr("builtins.input", words.append)
    return words


def test_a_window_that_would_be_gone_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = in_a_window(monkeypatch)
    console.stay()
    assert asked == ["\nPress Enter to close this."]


@pytest.mark.parametrize("other", ["a prompt", "a pipe", "another system", "no streams"])
def test_nobody_is_kept_elsewhere(monkeypatch: pytest.MonkeyPatch, other: str) -> None:
    asked = in_a_window(monkeypatch)
    if other == "a prompt":
        monkeypatch.setenv("PROMPT", "$P$G")
    elif other == "a pipe":
        monkeypatch.setattr(sys, "stdout", io.StringIO())
    elif other == "another system":
        monkeypatch.setattr(sys, "platform", "linux")
    else:
        monkeypatch.setattr(sys, "stdin", None)
    console.stay()
    assert asked == []


def test_a_notebook_ends_at_sigterm_as_before_when_the_door_was_opened_in_it() -> None:
    code = (
        "import signal, workshop\n"
        "before = signal.getsignal(signal.SIGTERM)\n"
        "code = workshop.run('timeit', '1 / 0')\n"
        "print(code, signal.getsignal(signal.SIGTERM) is before)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "1 True\n"
