"""What people are told to type works in a fresh copy, and so does what hosts run for them."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager

import workshop
from classroom.scripts import free_port
from tests.fresh import borrowed
from tests.houses import (
    BASE,
    DEADLINE,
    environment,
    started,
    until,
)
from tests.kernels import PATIENCE
from tests.paths import ROOT
from tools import ready
from tools.address import address
from tools.paths import BIN, EXE

TEXTS = {name: (ROOT / name).read_text("utf-8") for name in ("README.md", "TEACHING.md")}
FIRST = "work/01_callbacks.ipynb"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh copy, with a space and a letter beyond ASCII in its path."""
    return borrowed(tmp_path_factory.mktemp("getting it") / "Übung zwei")


def typed(*words: str | Path, at: Path, **changes: str) -> str:
    """Run a command as somebody types it, and return what it says."""
    done = subprocess.run(
        words,
        cwd=at,
        env=environment(**changes),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=DEADLINE,
    )
    assert done.returncode == 0, done
    assert "Traceback" not in done.stderr
    return done.stdout


def read(url: str) -> bytes:
    """Ask a server of this machine, whatever proxy that has."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=DEADLINE) as answer:
        return bytes(answer.read())


# -- commands ----------------------------------------------------------------------------------

VERBS = "|".join(workshop.VERBS)
COMMAND = re.compile(rf"(?:python3?|py|pip|git|curl|npm|\S*/python) \S.*|(?:{VERBS}) [-\w].*")


def commands(text: str) -> set[str]:
    """What a paper tells people to type: a line of a fence, or code in a sentence."""
    found = {*re.findall(r"`([^`\n]+)`", text)}
    for language, lines in re.findall(r"^ *```(\w*)\n(.*?)^ *```$", text, re.DOTALL | re.M):
        if language != "python":
            found |= {line.strip() for line in lines.splitlines()}
            found |= {*re.findall(r"\bpy workshop\.py \w+", lines)}
    return {on_linux(each) for each in found if COMMAND.fullmatch(each)}


def on_linux(command: str) -> str:
    """A command as it is on Linux and macOS, with what a sentence may leave out."""
    if command.partition(" ")[0] in workshop.VERBS:
        command = f"python3 workshop.py {command}"
    if command == "pip install":
        command = "pip install ."
    return re.sub(r"^py ", "python3 ", command)


# What is added where a command would take minutes, or stay; it is tried as a whole elsewhere.
ENDINGS = {
    "lab": ("--version",),
    "test": ("--version",),
    "slides": ("--help",),
    "bench": ("--help",),
    "stick": ("--help",),
}


def open_door(words: str, house: Path, folder: Path) -> None:
    given = [str(folder) if word == "FOLDER" else word for word in words.split()]
    verb = given[0] if given else ""
    said = typed(BASE, "workshop.py", *given, *ENDINGS.get(verb, ()), at=house)
    if verb == "check":
        assert re.fullmatch(
            r"Stormy Webber [\d.]+, Python 3\S+, \S.*\. This machine is ready for the day\.",
            said.splitlines()[-1],
        )


def answers(url: str) -> bool:
    try:
        return bool(read(url))
    except urllib.error.HTTPError as refusal:
        # Not every demo has a page at its root.
        return refusal.code == 404


def serve(
    module: str, house: Path, folder: Path, ask: Callable[[str], object] = answers
) -> None:
    """Run a demo, at a port that is free, and ask it."""
    command = [python_of(house), "-m", module, f"--port={free_port()}"]
    with subprocess.Popen(
        command, cwd=house, env=environment(), stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout
            [url] = re.findall(r"listening on (http\S+)", process.stdout.readline())
            assert ask(url)
        finally:
            process.terminate()


def curl(port: str, words: str, house: Path, folder: Path) -> None:
    """Ask the demo that the papers start at this port."""
    if not shutil.which("curl"):
        pytest.skip("curl is not installed")
    started = rf"-m (\S+) --port={port}`, and then `curl"
    [module] = {*re.findall(started, "".join(TEXTS.values()))}

    def ask(url: str) -> object:
        there = words.replace(f"http://127.0.0.1:{port}", url)
        return json.loads(
            typed("curl", "--silent", *shlex.split(there), at=folder, NO_PROXY="*")
        )

    serve(module, house, folder, ask)


SERVER = """\
from tornado.web import Application, RequestHandler

class Handler(RequestHandler):
    def get(self):
        self.write("here")

def make_app():
    return Application([(".*", Handler)])
"""


def film(module: str, options: str, house: Path, folder: Path) -> None:
    """Film an application of somebody's own, in the folder of their code."""
    (folder / "server.py").write_text(SERVER, encoding="utf-8")
    words = [module.replace("MODULE", "server"), *options.split()]
    typed(python_of(house), "-m", "loopfilm", *words, at=folder)
    assert (folder / "film.svg").is_file()


def install(house: Path, folder: Path) -> None:
    """Install what can be lifted out into another folder, and without a network."""
    offline = ("--no-index", "--no-deps", "--no-build-isolation", "--target", folder / "there")
    typed(python_of(house), "-m", "pip", "install", ".", *offline, at=house)
    assert (folder / "there" / "loopfilm" / "__init__.py").is_file()


def skip_without_commits() -> None:
    """Skip where git is not, or nothing of the kit is committed, as after a zip and `init`."""
    asked = ["git", "-c", "safe.directory=*", "rev-parse", "--verify", "HEAD"]
    is_clone = shutil.which("git") and (ROOT / ".git").exists()
    if not is_clone or subprocess.run(asked, cwd=ROOT, capture_output=True).returncode:
        pytest.skip("this is not a git clone with commits")


def clone(name: str, house: Path, folder: Path) -> None:
    """Clone what is committed here, in the place of what is at the address."""
    skip_without_commits()
    typed("git", "-c", "safe.directory=*", "clone", "--quiet", ROOT, name, at=folder)
    assert "workshop.py VERB" in typed(BASE, "workshop.py", at=folder / name)


def pack(options: str, house: Path, folder: Path) -> None:
    """Pack what is committed here, and begin with nothing else."""
    skip_without_commits()
    words = shlex.split(options.replace("../", f"{folder.as_posix()}/"))
    typed("git", "-c", "safe.directory=*", "archive", *words, "HEAD", at=ROOT)
    [packed] = folder.glob("*.zip")
    with zipfile.ZipFile(packed) as archive:
        archive.extractall(folder)
    [there] = [path for path in folder.iterdir() if path.is_dir()]
    assert "workshop.py VERB" in typed(BASE, "workshop.py", at=there)


def elsewhere(house: Path, folder: Path) -> None:
    """Typed in tests/tools/test_address.py, with an address in the place of the form."""


def python_of(house: Path) -> Path:
    return house / ".venv" / BIN / f"python{EXE}"


TYPISTS: list[tuple[str, Callable[..., None]]] = [
    (r"python3 workshop\.py ?(.*)", open_door),
    (r"\.venv/bin/python -m (stormy_demo\S+)(?: --port=\d+)?", serve),
    (r"curl (?='http://127\.0\.0\.1:(\d+)/)(.*)", curl),
    (r"python -m loopfilm (\S+:\S+)(.*)", film),
    (r"pip install \.", install),
    (r"git archive (.*) HEAD", pack),
    (rf"git clone {re.escape(address())} (\S+)", clone),
    (r"python3 -m tools\.address https://github\.com/OWNER/NAME", elsewhere),
]


def typist(command: str) -> Callable[..., None] | None:
    """What types a command, and looks at what comes of it."""
    for pattern, function in TYPISTS:
        if found := re.fullmatch(pattern, command):
            return partial(function, *found.groups())
    return None


ALL = sorted(set[str]().union(*map(commands, TEXTS.values())))


@pytest.mark.parametrize("command", ALL)
def test_a_command_of_the_papers_works_in_a_fresh_copy(
    command: str, house: Path, tmp_path: Path
) -> None:
    types = typist(command)
    assert types, "nobody types this: say above how it is typed"
    types(house=house, folder=tmp_path)


def test_the_mail_has_three_sentences_and_one_command() -> None:
    [mail] = re.findall(
        r"### The mail to send ahead\n[^`]*.*?^```\n(.*?)^```$",
        TEXTS["TEACHING.md"],
        re.DOTALL | re.M,
    )
    assert commands(f"```\n{mail}```") == {"python3 workshop.py check"}
    _, text = mail.split("\n\n", 1)
    assert len(re.findall(r"[.?](?=\s|$)", text)) == 3
    assert "the last line" in text and address() in text


def test_the_last_line_of_a_check_names_what_is_in_the_way(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = [("problem", "disk: full"), ("ok", "folder: fine"), ("problem", "set-up: failed")]
    monkeypatch.setattr(ready, "findings", lambda: found)
    assert not ready.report()
    *_, last = capsys.readouterr().out.splitlines()
    assert re.match(r"Stormy Webber [\d.]+, Python 3", last)
    assert last.endswith("; problems: disk, set-up. This machine is not ready.")


# -- hosts -------------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform == "win32", reason="Binder has Linux")
def test_binder_gets_the_copies_and_the_kernel_of_the_kit(house: Path, tmp_path: Path) -> None:
    shutil.rmtree(house / "work", ignore_errors=True)
    python = tmp_path / "python3"
    python.write_text(f'#!/bin/sh\nexec "{BASE}" "$@"\n', encoding="utf-8")
    python.chmod(0o755)
    host = tmp_path / "host"
    clean = ["env", "-i", f"PATH={tmp_path}:/usr/bin:/bin", f"HOME={tmp_path}"]
    typed(*clean, f"NB_PYTHON_PREFIX={host}", "bash", ".binder/postBuild", at=house)
    [opened] = re.findall(r"mybinder\.org/\S+urlpath=lab/tree/([^)]+)", TEXTS["README.md"])
    assert (opened, (house / opened).is_file()) == (FIRST, True)
    code = (
        "import os, shutil, sys, classroom\n"
        "print(sys.prefix, classroom.__file__, shutil.which('python'), sep='\\n')\n"
        "print(os.environ['STORMY_PREDICT_FIRST'])"
    )
    venv = house / ".venv"
    expected = [venv, house / "classroom" / "__init__.py", venv / "bin" / "python", 1]
    said = said_by_the_kernel_at(host, house / "work", code)
    assert said.splitlines() == [str(each) for each in expected]


def said_by_the_kernel_at(prefix: Path, folder: Path, code: str) -> str:
    """What the kernel says that a Jupyter finds there for our notebooks."""
    specs = KernelSpecManager(kernel_dirs=[str(prefix / "share" / "jupyter" / "kernels")])
    manager = KernelManager(kernel_name="python3", kernel_spec_manager=specs)
    manager.start_kernel(cwd=str(folder))
    client = manager.blocking_client()
    said: list[str] = []
    try:
        client.start_channels()
        client.wait_for_ready(timeout=PATIENCE)
        client.execute_interactive(
            code,
            timeout=PATIENCE,
            output_hook=lambda message: said.append(message["content"].get("text", "")),
        )
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    return "".join(said)


@pytest.mark.skipif(sys.platform == "win32", reason="a container has Linux")
def test_a_container_opens_the_first_notebook(house: Path, tmp_path: Path) -> None:
    text = (ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8")
    container = json.loads(text)
    # Typed above, since README has it too.
    assert container["updateContentCommand"] in ALL
    python, script, *words = container["postAttachCommand"].split()
    assert (python, script) == ("python3", "workshop.py")
    noted = tmp_path / "address"
    note = "import sys; open(sys.argv[1], 'w').write(sys.argv[2] + '\\n')"
    browser = f"{shlex.join([sys.executable, '-c', note, str(noted)])} %s"
    with started(house, *words, f"--port={free_port()}", BROWSER=browser) as process:
        until(lambda: noted.is_file() and noted.read_text().endswith("\n"))
        url = noted.read_text().strip()
        assert url.partition("?")[0].endswith(f"/lab/tree/{FIRST}")
        assert b"JupyterLab" in read(url)
        process.terminate()
        process.wait(DEADLINE)
