"""Chromium keeps its sandbox, unless it cannot have one."""

from __future__ import annotations

import os
from typing import Any

import pytest
from playwright.sync_api import Error

from slides.looking import browser
from slides.looking.browser import NoBrowser


class Kind:
    """A stand-in for Playwright's browser type, which starts in some ways only."""

    def __init__(self, starts_with: tuple[bool, ...]) -> None:
        self.starts_with = starts_with
        self.tried: list[bool] = []

    def launch(self, *, chromium_sandbox: bool, args: list[str], **_: Any) -> str:
        assert "--no-sandbox" not in args
        self.tried.append(chromium_sandbox)
        if chromium_sandbox not in self.starts_with:
            raise Error("it ended at once")
        return "a browser"


def tried(kind: Kind) -> list[bool]:
    """With or without its sandbox: how it was started until it started."""
    browser._launch(kind, "/usr/bin/chromium", [*browser.OPTIONS])  # type: ignore[arg-type]
    return kind.tried


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="this system has no root")
def test_root_starts_it_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert tried(Kind((False,))) == [False]


class TestAnybodyElse:
    @pytest.fixture(autouse=True)
    def nobody_is_root(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(os, "geteuid", lambda: 1000, raising=False)

    def test_starts_it_with(self) -> None:
        assert tried(Kind((True, False))) == [True]

    def test_does_without_where_it_does_not_start(self) -> None:
        assert tried(Kind((False,))) == [True, False]

    def test_is_told_if_it_does_not_start_at_all(self) -> None:
        with pytest.raises(NoBrowser, match="does not start: it ended at once"):
            tried(Kind(()))
