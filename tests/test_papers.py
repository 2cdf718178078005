"""What the papers promise: code that runs, links that lead somewhere, commands that exist."""

from __future__ import annotations

import functools
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests
from tornado.escape import json_decode
from tornado.httpclient import AsyncHTTPClient
from tornado.ioloop import IOLoop

from classroom import on_a_loop
from loopfilm import on_own_loop, running_apart
from stormy_demo.backend import Backend
from tests.paths import ROOT

PAPERS = [
    *sorted(ROOT.glob("*.md")),
    *(ROOT / room / "README.md" for room in ("loopfilm", "tornalet", "trequests")),
    ROOT / "notebooks" / "handout.md",
    ROOT / "slides" / "then_and_now.md",
]
ROOMS = (
    "notebooks|exercises|slides|stormy_demo|tornalet|trequests|loopfilm|classroom|benchmarks|"
    "tests|tools"
)
each_paper = pytest.mark.parametrize(
    "paper", PAPERS, ids=[paper.relative_to(ROOT).as_posix() for paper in PAPERS]
)


@each_paper
def test_every_link_and_picture_leads_to_a_file_of_the_project(paper: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)", paper.read_text(encoding="utf-8")):
        if not target.startswith("http"):
            assert (paper.parent / target).exists(), target


@each_paper
def test_every_file_and_verb_that_is_named_exists(paper: Path) -> None:
    text = paper.read_text(encoding="utf-8")
    for verb in re.findall(r"workshop\.py (\w+)", text):
        assert verb in ("lab", "test", "slides", "refresh", "check", "bench"), verb
    for path in re.findall(rf"`((?:{ROOMS})/[\w./]*)`", text):
        if not path.startswith("slides/build/") and "NAME" not in path:
            assert (ROOT / path).exists(), path
    for module in re.findall(r"-m (stormy_demo\.\w+)", text):
        asked = subprocess.run([sys.executable, "-m", module, "--help"], capture_output=True)
        assert asked.returncode == 0, module


@each_paper
def test_the_voice_is_plain(paper: Path) -> None:
    prose = re.sub(r"```.*?```|`[^`]*`|!\[", "", paper.read_text("utf-8"), flags=re.DOTALL)
    assert not re.search(r"!(?!=)|[\U0001f300-\U0001faff]", prose)


class TestTheFiveLinesOfTheHandout:
    """Blocking, with callbacks, with await: they do the same."""

    blocks = re.findall(
        r"```python\n(.*?)```",
        (ROOT / "notebooks" / "handout.md").read_text("utf-8"),
        flags=re.DOTALL,
    )

    def code(self, number: int) -> dict[str, Any]:
        names: dict[str, Any] = {
            "requests": requests,
            "AsyncHTTPClient": AsyncHTTPClient,
            "IOLoop": IOLoop,
            "json_decode": json_decode,
            "partial": functools.partial,
        }
        exec(self.blocks[number], names)
        return names

    @pytest.fixture
    def url(self) -> Any:
        with running_apart(Backend().app) as url:
            yield f"{url}/profile?user=ada"

    def check(self, found: Any, capsys: pytest.CaptureFixture[str]) -> None:
        assert found == {"profile": "Ada Lovelace"}
        assert capsys.readouterr().out == "asking\ngot 200\n"

    def test_blocking(self, url: str, capsys: pytest.CaptureFixture[str]) -> None:
        self.check(self.code(0)["profile"](url), capsys)

    def test_callbacks(self, url: str, capsys: pytest.CaptureFixture[str]) -> None:
        found: list[Any] = []

        def got(profile: Any) -> None:
            found.append(profile)
            IOLoop.current().stop()

        on_a_loop(lambda: self.code(1)["profile"](url, got))
        self.check(found[0], capsys)

    def test_await(self, url: str, capsys: pytest.CaptureFixture[str]) -> None:
        self.check(on_own_loop(self.code(2)["profile"], url), capsys)
