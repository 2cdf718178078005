"""What set-up makes of pip's settings, of a folder, and of what installers say."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import httpx
import pytest

from tools import bundled_pip, installers, pip_settings, proxies, quick, steps
from tools.installers import installers_environment
from tools.paths import PYTHON
from tools.trouble import Trouble
from tools.words import why

# -- pip's settings ----------------------------------------------------------------------------


@pytest.fixture
def pip_conf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only file of settings that there is, named by a variable."""
    for variable in [name for name in os.environ if name.startswith(("PIP_", "UV_"))]:
        monkeypatch.delenv(variable)
    for where in ("of_the_machine", "of_the_user"):
        monkeypatch.setattr(pip_settings, where, lambda: iter(()))
    path = tmp_path / "pip.conf"
    monkeypatch.setenv("PIP_CONFIG_FILE", str(path))
    return path


PLAIN = "[global]\nindex-url = https://index.example/für/alle\nquiet = 3\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16", "utf-16-le"])
def test_an_index_is_found_whichever_editor_wrote_it(pip_conf: Path, encoding: str) -> None:
    pip_conf.write_bytes(PLAIN.replace("\n", "\r\n").encode(encoding))
    env = installers_environment()
    assert env["PIP_INDEX_URL"] == "https://index.example/für/alle"
    assert env["UV_DEFAULT_INDEX"] == "https://index.example/für/alle"
    assert "PIP_QUIET" not in env


def test_the_way_out_is_the_user_s_and_all_else_is_ours(
    pip_conf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pip_conf.write_text(
        "[global]\n"
        "Proxy = http://proxy.example:3128\n"
        "extra_index_url =\n    https://one.example\n    https://two.example\n"
        "cert = /a  folder/house.pem\n"
        "target = elsewhere\nuser = true\nno-binary = :all:\n"
        "timeout = 10\n"
        "[install]\ntimeout = 20\n"
        "[download]\ntimeout = 30\n"
        "[list]\nindex-url = https://never.example\n"
    )
    monkeypatch.setenv("PIP_TRUSTED_HOST", "index.example")
    monkeypatch.setenv("PIP_DEFAULT_TIMEOUT", "")
    env = installers_environment()
    theirs = {name: env[name] for name in env if name.startswith("PIP_")}
    assert theirs == {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_RETRIES": "2",
        "PIP_PROXY": "http://proxy.example:3128",
        "PIP_EXTRA_INDEX_URL": "https://one.example https://two.example",
        "PIP_CERT": "/a  folder/house.pem",
        "PIP_TIMEOUT": "20",
        "PIP_TRUSTED_HOST": "index.example",
    }


@pytest.mark.parametrize("variable", ["UV_DEFAULT_INDEX", "UV_INDEX_URL"])
def test_pip_is_told_of_an_index_that_only_uv_was_told_of(
    pip_conf: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "https://index.example")
    assert installers_environment()["PIP_INDEX_URL"] == "https://index.example"
    monkeypatch.setenv("PIP_INDEX_URL", "https://another.example")
    assert installers_environment()["PIP_INDEX_URL"] == "https://another.example"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("index-url = x\n", "line 1 stands before the first [section]"),
        ("[global]\n\nproxy\n", "line 3 is no NAME = VALUE"),
        ("[global]\nindex-url = a\n  proxy = b\n", "index-url goes on in the line below it"),
    ],
)
def test_a_mistake_is_told_with_its_file(pip_conf: Path, text: str, said: str) -> None:
    pip_conf.write_text(text)
    with pytest.raises(Trouble, match=r"have a mistake") as trouble:
        pip_settings.read()
    assert str(pip_conf) in str(trouble.value)
    assert said in str(trouble.value)


def test_a_file_that_cannot_be_read_is_told(
    pip_conf: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pip_conf.mkdir()
    assert pip_settings.read() == {}
    assert f"pip's settings in {pip_conf} are left out" in capsys.readouterr().out


def test_pip_looks_for_its_files_in_the_same_places() -> None:
    command = [sys.executable, "-I", "-m", "pip", "config", "debug"]
    env = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    said = subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout
    heading, places = "", dict[str, set[Path]]()
    for line in said.splitlines():
        if found := re.fullmatch(r" +(.*), exists: (True|False)", line):
            places[heading].add(Path(found[1]))
        elif not line.startswith(" "):
            heading = line.rstrip(":")
            places[heading] = set()
    assert set(pip_settings.of_the_user()) == places["user"]
    # On a Mac, Homebrew has one more.
    assert set(pip_settings.of_the_machine()) <= places["global"]


# -- words -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        ("ERROR: [Errno 28] No space left on device", "the disk is full"),
        ("error: failed to write: Disk quota exceeded (os error 122)", "the disk is full"),
        (
            "OSError: [Errno 36] File name too long: 'x'",
            "move the folder to a place with a",
        ),
        ("HINT: ... does not have Windows Long Path support enabled.", "with a shorter path"),
        ("[WinError 5] Access is denied: 'zmq.pyd'", "close what uses .venv, such as Jupyter"),
        ("[WinError 32] Der Prozess kann nicht zugreifen: 'x'", "close what uses .venv"),
        ("[Errno 1] Operation not permitted: 'x'", "close what uses .venv"),
        ("unknown failure (os error 281)\n", "set-up failed (unknown failure (os error 281))"),
        ("Missing dependencies for SOCKS support.", "set HTTPS_PROXY to an HTTP proxy"),
        ("invalid peer certificate: UnknownIssuer", "pip config set global.cert FILE"),
        ("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed", "global.cert FILE"),
        ("Connection refused (os error 111)", "connect to the network"),
        ("something else\n", "set-up failed (something else): run this again, and read"),
    ],
)
def test_each_cause_has_its_cure(output: str, sentence: str) -> None:
    assert sentence in why(output)


NO_WHEEL = "ERROR: No matching distribution found for pyyaml==5.4.1"


def test_an_index_of_the_house_may_lack_a_package(pip_conf: Path) -> None:
    assert "pyyaml has no wheel for Python 3" in why(NO_WHEEL)
    pip_conf.write_text("[global]\nindex-url = https://index.example\n")
    assert f"the index that pip is told of in {pip_conf} has no wheel" in why(NO_WHEEL)
    assert "ask whoever keeps it" in why(NO_WHEEL)


@pytest.mark.parametrize(
    ("module", "name", "answer", "cure"),
    [
        (sys, "version_info", (3, 16, 0), "install a Python from 3.11 to 3.15, and start"),
        (sys, "version_info", (3, 12, 0), "take another machine"),
        (sysconfig, "get_platform", lambda: "win-arm64", "3.15, for x86-64, which runs on ARM"),
        (sysconfig, "get_config_var", lambda _: 1, "3.15, with its lock, not free-threaded"),
        (sys, "maxsize", 2**31 - 1, "3.15, of 64 bits"),
    ],
)
def test_a_package_without_a_wheel_asks_for_what_is_other_here(
    pip_conf: Path,
    monkeypatch: pytest.MonkeyPatch,
    module: object,
    name: str,
    answer: object,
    cure: str,
) -> None:
    # Whatever runs this test is a usual Python.
    monkeypatch.setattr(sysconfig, "get_config_var", lambda _: 0)
    monkeypatch.setattr(sysconfig, "get_platform", lambda: "linux-x86_64")
    monkeypatch.setattr(module, name, answer)
    assert cure in why(NO_WHEEL)


def test_a_setting_that_pip_does_not_take_is_told_with_its_file(pip_conf: Path) -> None:
    pip_conf.write_text("[global]\ntimeout = soon\n")
    said = "An error occurred during configuration: option timeout: invalid float value"
    assert why(said).startswith(f"pip does not take its setting 'timeout' in {pip_conf}: ")


# -- proxies -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "variables",
    [
        {"ALL_PROXY": "socks5://127.0.0.1:9"},
        {"all_proxy": "socks5h://127.0.0.1:9", "https_proxy": "socks4a://127.0.0.1:9"},
        {"http_proxy": "http://us:p#w@proxy.example:3128"},
        {"HTTP_PROXY": "http://[::1"},
        {"http_proxy": "proxy.example:3128", "HTTPS_PROXY": ""},
        {"http_proxy": "ftp://proxy.example:3128"},
        {"http_proxy": " http://proxy.example:3128"},
        {"NO_PROXY": "::1/128, http://[::1, example.org:http, [::1]:80"},
    ],
    ids=str,
)
def test_no_proxy_keeps_a_program_of_the_kit_from_starting(
    variables: dict[str, str], monkeypatch: pytest.MonkeyPatch, no_proxies: None
) -> None:
    for name, value in proxies.told(variables).items():
        monkeypatch.setenv(name, value)
        if name.lower() != "no_proxy":
            # As JupyterLab does when it is imported.
            httpx.HTTPTransport(proxy=value).close()
    # It reads the environment.
    httpx.Client().close()


def test_a_usual_proxy_is_handed_on_and_this_machine_is_left_out() -> None:
    usual = {"https_proxy": "http://us:pw@proxy.example:3128", "HTTP_PROXY": "HTTP://a.example"}
    told = proxies.told({**usual, "NO_PROXY": "10.0.0.0/8, .example.org,::1,*.local:80"})
    excepted = "10.0.0.0/8,.example.org,::1,*.local:80,127.0.0.1,localhost"
    assert told == {**usual, "NO_PROXY": excepted, "no_proxy": excepted}


# -- uv ----------------------------------------------------------------------------------------


def test_a_wheel_that_is_not_that_of_the_lock_is_not_used(tmp_path: Path) -> None:
    wheel = tmp_path / "uv-0-py3-none-any.whl"
    assert quick.Uv.of(wheel) is None
    wheel.write_bytes(b"somebody else's")
    assert quick.Uv.of(wheel) is None


def test_uv_is_kept_where_uv_keeps_the_rest(tmp_path: Path) -> None:
    kept = quick.kept_in({"UV_CACHE_DIR": str(tmp_path)})
    assert kept is not None and kept.is_relative_to(tmp_path)
    wheel = tmp_path / "uv.whl"
    wheel.write_bytes(b"a wheel")
    assert quick.keep(wheel, kept) == kept / "uv.whl"
    assert [path.name for path in kept.iterdir()] == ["uv.whl"]
    # Where nothing can be kept, it is used where it is.
    (tmp_path / "file").touch()
    assert quick.keep(wheel, tmp_path / "file" / "kept") == wheel


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has LOCALAPPDATA for that")
def test_without_a_home_nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere() -> Path:
        raise RuntimeError("no home")

    monkeypatch.setattr(Path, "home", nowhere)
    assert quick.kept_in({}) is None


def test_of_the_uvs_on_a_stick_that_for_this_machine_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quick, "WHEELS", tmp_path)
    tags = (
        "macosx_10_12_x86_64",
        "macosx_11_0_arm64",
        "manylinux_2_17_aarch64",
        "manylinux_2_17_x86_64.manylinux2014_x86_64",
        "win_amd64",
    )
    for tag in tags:
        (tmp_path / f"uv-0-py3-none-{tag}.whl").touch()
    for system, machine, first in (
        ("linux-x86_64", "x86_64", "manylinux_2_17_x86_64"),
        ("linux-aarch64", "aarch64", "manylinux_2_17_aarch64"),
        ("macosx-10.13-universal2", "arm64", "macosx_11_0_arm64"),
        ("win-amd64", "AMD64", "win_amd64"),
    ):
        monkeypatch.setattr(quick.sysconfig, "get_platform", lambda: system)  # noqa: B023
        monkeypatch.setattr(quick.platform, "machine", lambda: machine)  # noqa: B023
        best, *others = quick.on_the_stick()
        assert first in best.name
        assert len(others) == 4


def test_after_half_a_package_all_are_put_there_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = "error: Failed to install: x-1-py3-none-any.whl (x==1)\\n  Caused by: (os error 396)"
    asked: list[list[object]] = []

    def quietly(command: list[object], env: object) -> tuple[bool, str]:
        asked.append(command)
        return command[0] == PYTHON, said

    monkeypatch.setattr(installers, "quietly", quietly)
    monkeypatch.setattr(installers, "ways", lambda *_: iter([["uv"], ["uv"], [PYTHON, "pip"]]))
    installers.install("a lock", {})
    first, *others, last = asked
    assert first == ["uv"]
    assert others == [["uv", "--reinstall", "--link-mode=copy"]]
    assert last == [PYTHON, "pip", "--ignore-installed"]


# -- pip ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_there", [True, False])
def test_where_a_python_brings_no_wheel_pip_is_put_into_the_environment(
    is_there: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def quietly(command: list[str]) -> tuple[bool, str]:
        asked.append(" ".join(command[2:4]))
        return is_there or len(asked) > 1, ""

    monkeypatch.setattr(bundled_pip, "bundled", lambda: None)
    monkeypatch.setattr(bundled_pip, "quietly", quietly)
    assert bundled_pip.command() == bundled_pip.OF_VENV
    assert asked == ["-c import pip"] + ["-m ensurepip"] * (not is_there)


def test_a_python_that_brings_no_pip_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bundled_pip, "bundled", lambda: None)
    monkeypatch.setattr(bundled_pip, "quietly", lambda _: (False, ""))
    monkeypatch.setitem(sys.modules, "ensurepip", None)
    with pytest.raises(Trouble, match=r"no venv module: install it .* python3-venv"):
        bundled_pip.command()


def test_where_uv_failed_and_there_is_no_pip_uv_is_believed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def none() -> list[str]:
        raise Trouble(bundled_pip.NONE)

    monkeypatch.setattr(installers, "VENV", tmp_path)
    monkeypatch.setattr(quick, "at_hand", lambda _: quick.Uv(Path("uv")))
    monkeypatch.setattr(installers, "quietly", lambda *_: (False, "Connection refused"))
    monkeypatch.setattr(bundled_pip, "command", none)
    with pytest.raises(Trouble, match="connect to the network"):
        installers.install("requirements.lock", {})


BEGINS_ANOTHER = """\
import pathlib, sys, time
try:
    print("begun", flush=True)
    time.sleep(1000)
finally:
    pathlib.Path(sys.argv[1]).write_text("what was begun is ended")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there a step is just ended")
def test_a_step_ends_what_it_has_begun_when_only_its_starter_is_interrupted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def interrupted(step: Any) -> str:
        assert step.stdout.readline() == "begun\n"
        raise KeyboardInterrupt

    monkeypatch.setattr(steps, "patiently", interrupted)
    monkeypatch.setattr(steps, "PARTING", 0)
    monkeypatch.setattr(steps, "GRACE", 600)
    with pytest.raises(KeyboardInterrupt):
        steps.quietly([sys.executable, "-c", BEGINS_ANOTHER, tmp_path / "ended"])
    assert (tmp_path / "ended").read_text() == "what was begun is ended"
