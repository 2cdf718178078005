"""What the papers promise: code that runs, links that lead somewhere, commands that exist."""

from __future__ import annotations

import builtins
import functools
import importlib.util
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from jupyter_client.blocking.client import BlockingKernelClient
from tornado.escape import json_decode
from tornado.httpclient import AsyncHTTPClient
from tornado.ioloop import IOLoop

import classroom
import loopfilm
import tornalet
import trequests
import workshop
from classroom import answers, measured, on_a_loop
from loopfilm import on_own_loop, running_apart
from stormy_demo import callbacks, coroutines
from stormy_demo.backend import Backend
from tests import quick_start
from tests.kernels import PATIENCE, running_kernel
from tests.paths import ROOT
from tools import copies, refresh, usage

PAPERS = [
    *sorted(ROOT.glob("*.md")),
    *(ROOT / room / "README.md" for room in ("loopfilm", "tornalet", "trequests")),
    ROOT / "notebooks" / "handout.md",
    ROOT / "notebooks" / "polls.md",
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
def test_every_file_that_is_named_exists(paper: Path) -> None:
    text = paper.read_text(encoding="utf-8")
    for path in re.findall(rf"`((?:{ROOMS})/[\w./]*)`", text):
        # What is built, and what a speaker may have, nobody finds in a clone.
        if not path.startswith(("slides/build/", "slides/speaker.")) and "NAME" not in path:
            assert (ROOT / path).exists(), path
    for name in re.findall(
        r"`(\w[\w.]*\.(?:py|ipynb|md|cfg|lock|toml|yml|json|css|js))`", text
    ):
        if name not in EXAMPLES:
            assert any(named(name)), name


# What somebody may call a file of one's own.
EXAMPLES = ("first.py", "server.py", "holds_the_loop.polling.py")


def named(name: str) -> Iterator[Path]:
    """Files of this name, at the top or in a room, that the project has or makes."""
    yield from (path for path in [ROOT / name] if path.exists())
    for room in [*ROOMS.split("|"), ".github"]:
        yield from (p for p in (ROOT / room).rglob(name) if "build" not in p.parts)


# -- commands ----------------------------------------------------------------------------------


def texts() -> dict[str, str]:
    """Whatever tells people to type something: papers, cells of text, and the code's words."""
    found = {paper.relative_to(ROOT).as_posix(): paper.read_text("utf-8") for paper in PAPERS}
    for path in [*(ROOT / "notebooks").glob("*.ipynb"), *(ROOT / "slides").glob("*.ipynb")]:
        cells = refresh.read(path).cells
        found[path.name] = "\n".join(c.source for c in cells if c.cell_type == "markdown")
    for path in [ROOT / "workshop.py", *(p for r in ROOMS.split("|") for p in modules(r))]:
        found[path.relative_to(ROOT).as_posix()] = path.read_text("utf-8")
    return found


def modules(room: str) -> list[Path]:
    answers = {"wrong", "right"} if room == "exercises" else set()
    paths = (ROOT / room).rglob("*.py") if room != "tests" else []
    return [path for path in paths if not answers & set(path.parts)]


def commands(pattern: str) -> Iterator[tuple[str, str, list[str]]]:
    """What follows a pattern, up to where its command ends: the file, the match, its words."""
    for place, text in texts().items():
        for match in re.finditer(pattern + r"((?: [^`\s,;:)\"]+)*)", text):
            yield place, match[1], match[2].replace("[", "").replace("]", "").split()


# A word in capitals stands for one of the reader's own, as one in braces does.
MEANT = {"VERB": "lab", "NAME": "styles"}
OWN = ("NAME", "{old}", "{notebook}")


@functools.cache
def help_of(*module: str) -> str:
    """What a module says to --help."""
    asked = [sys.executable, "-m", *module, "--help"]
    knows = ["pytest"] if module == ("pytest",) else []
    done = quick_start.run(asked, knows=knows, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, (module, done.stderr)
    return done.stdout + done.stderr


def options_of(verb: str, words: list[str]) -> str:
    """Where the options of a verb of workshop.py are told, or read."""
    if verb == "lab":
        return usage.of_lab().format_help()
    if verb == "bench":
        name = next((MEANT.get(word, word) for word in words if word[0] != "-"), "")
        if not name:
            return usage.of_bench().format_help()
        assert (ROOT / "benchmarks" / f"{name}.py").is_file(), name
        return help_of(f"benchmarks.{name}")
    modules = {"slides": "slides", "refresh": "tools.refresh", "test": "pytest"}
    return help_of(modules[verb]) if verb in modules else ""


# Also a verb that is named without the door, as in `lab --fresh NAME`.
DOOR = r"(?:(?:python3|py|`) ?workshop\.py |`(?=(?:lab|refresh|slides|bench) [-\w]))(\w+)"


def test_every_verb_of_the_door_exists_and_takes_what_follows_it() -> None:
    seen = set()
    for place, verb, words in commands(DOOR):
        if verb in MEANT:
            continue
        assert verb in workshop.VERBS, f"{place}: {verb}"
        seen.add(verb)
        told = options_of(verb, words)
        for word in words:
            where = f"{place}: {verb} {' '.join(words)}"
            if word.startswith("-"):
                assert re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", told), where
            elif "/" in word:
                assert (ROOT / word).exists(), where
        if "--fresh" in words and (name := words[words.index("--fresh") + 1]) not in OWN:
            assert copies.file_of(name)
    assert seen == set(workshop.VERBS)


def test_every_module_that_is_to_be_run_can_be() -> None:
    seen = set()
    for place, module, words in commands(r"python3? -m ([\w.]+)"):
        name = ".".join(MEANT.get(part, part) for part in module.split("."))
        # A parent starts it, with a pipe, and nobody else does.
        if name == "classroom.examining.child":
            continue
        found = importlib.util.find_spec(name)
        assert found, f"{place}: {module}"
        main = importlib.util.find_spec(f"{name}.__main__") if found.parent == name else found
        assert main and main.origin, f"{place}: {module}"
        seen.add(name)
        if name == "asyncio" and sys.version_info < (3, 14):
            # Its commands came with Python 3.14, as the notebook says.
            continue
        if place.startswith("tools/"):
            # The door starts it, and gives it what it takes.
            continue
        source = Path(main.origin).read_text("utf-8")
        if "argparse" not in source and not name.startswith(("stormy_demo.", "loopfilm")):
            assert not words, f"{place}: {module} takes no options"
            continue
        told = help_of(name)
        for word in words:
            option = word.partition("=")[0]
            if option.startswith("-"):
                assert option in told, f"{place}: {module} {word}"
    assert "stormy_demo.coroutines" in seen


def test_a_demo_is_run_with_the_python_that_has_it() -> None:
    """Whatever `python` is in somebody's terminal, that one need not have Tornado."""
    runs = [
        (place, before)
        for place, text in texts().items()
        if not place.endswith(".py")
        for before in re.findall(r"(\S*)python3? -m stormy_demo", text)
    ]
    assert len(runs) > 2
    assert {before.lstrip("(`'") for _, before in runs} == {".venv/bin/"}, runs


def test_every_address_of_a_demo_is_answered() -> None:
    paths = {
        path
        for place, text in texts().items()
        if not place.endswith(".py")
        for path in re.findall(r"http://127\.0\.0\.1:888\d(/[^\s'`\"]*)", text)
        # A film of one's own server has an address of its own.
        if "{" not in path and not path.startswith("/loopfilm")
    }
    assert "/resources/?user=ada" in paths
    with running_apart(Backend().app) as backend:
        for style in (callbacks, coroutines):
            with running_apart(style.make_app(backend)) as url:
                for path in paths:
                    assert requests.get(url + path, timeout=500).status_code == 200, path


# -- names -------------------------------------------------------------------------------------


def public(*packages: Any) -> set[str]:
    return {name for package in packages for name in package.__all__} | set(dir(builtins))


@pytest.mark.parametrize(
    ("paper", "names"),
    [
        ("README.md", public(answers, classroom, loopfilm, tornalet, trequests)),
        # `new` is a function of the section that stands before it.
        ("TEACHING.md", public(classroom, answers) | {"new"}),
        (
            "CONTRIBUTING.md",
            public(classroom, answers, loopfilm, measured) | {"Backend", "Choice"},
        ),
        # `f` is whatever one calls.
        ("notebooks/handout.md", public(answers, loopfilm, tornalet, trequests) | {"f"}),
        ("loopfilm/README.md", public(loopfilm) | {"Application", "help"}),
        ("tornalet/README.md", public(tornalet)),
        ("trequests/README.md", public(trequests)),
    ],
)
def test_every_function_that_is_to_be_called_exists(paper: str, names: set[str]) -> None:
    """One that stands behind a dot, or in a sentence on a method, is not for this test."""
    text = re.sub(r"```.*?```", "", (ROOT / paper).read_text("utf-8"), flags=re.DOTALL)
    for span in re.findall(r"`([^`\n]+)`", text):
        for name in re.findall(r"(?<![\w.])([A-Za-z_]\w*)\(", span):
            assert name in names or f"{name}()" == span in METHODS, f"{name} in {span}"


# Of Tornado's handlers and of what `setup_session` returns, named as such.
METHODS = ("close()", "initialize()", "data_received()", "detach()")


# -- voice -------------------------------------------------------------------------------------


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


class TestACellThatHangs:
    """What the handout says of interrupting one, tried in a kernel."""

    def ends(self, client: BlockingKernelClient) -> str:
        """How the next cell ends that does: its status, or the name of its error."""
        while (reply := client.get_shell_msg(timeout=PATIENCE))["msg_type"] != "execute_reply":
            pass
        return str(reply["content"].get("ename", reply["content"]["status"]))

    def until_it_runs(self, client: BlockingKernelClient) -> None:
        """Wait until the cell has printed something."""
        while client.get_iopub_msg(timeout=PATIENCE)["msg_type"] != "stream":
            pass

    def test_without_await_it_stops_at_once(self) -> None:
        with running_kernel() as (kernel, client):
            client.execute("import time; print('here', flush=True)\nwhile True: time.sleep(1)")
            self.until_it_runs(client)
            kernel.interrupt_kernel()
            assert self.ends(client) == "KeyboardInterrupt"

    def test_one_that_awaits_stops_when_another_cell_wakes_the_loop(self) -> None:
        with running_kernel() as (kernel, client):
            client.execute("import asyncio; print('here')\nawait asyncio.Event().wait()")
            self.until_it_runs(client)
            kernel.interrupt_kernel()
            client.execute("1 + 1")
            assert self.ends(client) == "CancelledError"
            assert self.ends(client) == "aborted"
            client.execute("1 + 1")
            assert self.ends(client) == "ok"
