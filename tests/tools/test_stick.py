"""A stick: the kit and the wheels of its lock, for rooms without a network."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.utils import parse_wheel_filename

from tests.addresses import nobody_listens
from tests.fresh import BORROW
from tests.houses import (
    BASE,
    Outcome,
    assert_one_sentence,
    door,
    environment,
    make_house,
)
from tests.paths import ROOT
from tests.test_house import pins as pins_of
from tools import stick
from tools.paths import BIN, EXE
from tools.systems import Pair, pairs
from tools.wheels import pins

# -- what a lock asks of whom ------------------------------------------------------------------


def test_all_of_the_lock_is_read() -> None:
    read = pins((ROOT / "requirements.lock").read_text(encoding="utf-8"))
    assert {
        f"{pin.name}=={pin.version}" + (f" ; {pin.marker}" if pin.marker else ""): {
            f"sha256:{digest}" for digest in pin.hashes
        }
        for pin in read
    } == pins_of("requirements.lock")


def pair(name: str) -> Pair:
    (found,) = [each for each in pairs() if str(each) == name]
    return found


def test_there_is_a_pair_for_each_system_and_python() -> None:
    assert len(pairs()) == len({*map(str, pairs())}) == 25
    assert pair("Linux arm64, Python 3.11") and pair("Windows x86-64, Python 3.15")


@pytest.mark.parametrize(
    ("name", "marker", "wanted"),
    [
        ("macOS arm64, Python 3.12", "sys_platform == 'darwin'", True),
        ("Linux arm64, Python 3.12", "sys_platform == 'darwin'", False),
        ("macOS x86-64, Python 3.13", "platform_machine != 'x86_64'", False),
        ("Windows x86-64, Python 3.13", "platform_machine != 'x86_64'", True),
        ("Windows x86-64, Python 3.13", "os_name == 'nt'", True),
        ("Linux x86-64, Python 3.15", "python_full_version < '3.15'", False),
        ("Linux x86-64, Python 3.11", "implementation_name != 'pypy'", True),
        # Some have an older release of Python 3.11, and some a newer one.
        ("Linux x86-64, Python 3.11", "python_full_version < '3.11.3'", True),
        ("Linux x86-64, Python 3.11", "python_full_version >= '3.11.5'", True),
    ],
)
def test_markers_are_answered_for_the_pair(name: str, marker: str, wanted: bool) -> None:
    assert pair(name).wants(marker) == wanted


@pytest.mark.parametrize(
    ("name", "tag", "fits"),
    [
        ("Linux x86-64, Python 3.11", "cp311-cp311-manylinux_2_28_x86_64", True),
        ("Linux x86-64, Python 3.11", "cp39-abi3-manylinux2014_x86_64", True),
        ("Linux x86-64, Python 3.11", "cp312-abi3-manylinux2014_x86_64", False),
        ("Linux x86-64, Python 3.11", "cp311-cp311-musllinux_1_2_x86_64", False),
        ("Linux arm64, Python 3.13", "cp313-cp313-manylinux_2_17_aarch64", True),
        ("Linux arm64, Python 3.13", "cp313-cp313t-manylinux_2_17_aarch64", False),
        ("macOS arm64, Python 3.14", "cp314-cp314-macosx_11_0_universal2", True),
        ("macOS arm64, Python 3.14", "cp314-cp314-macosx_10_13_x86_64", False),
        ("macOS x86-64, Python 3.14", "cp314-cp314-macosx_10_13_x86_64", True),
        ("Windows x86-64, Python 3.15", "py3-none-win_amd64", True),
        ("Windows x86-64, Python 3.15", "cp315-cp315-win_arm64", False),
        ("Windows x86-64, Python 3.15", "py2.py3-none-any", True),
    ],
)
def test_a_wheel_is_for_some_pairs(name: str, tag: str, fits: bool) -> None:
    tags = parse_wheel_filename(f"sunny-1.0-{tag}.whl")[3]
    assert bool(tags & pair(name).tags) == fits


# -- a stick -----------------------------------------------------------------------------------

FOR_ONE_SYSTEM = {
    "Linux x86-64": "cp39-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64",
    "Linux arm64": "cp39-abi3-manylinux_2_28_aarch64",
    "macOS x86-64": "cp39-abi3-macosx_10_9_x86_64",
    "macOS arm64": "cp39-abi3-macosx_11_0_arm64",
    "Windows x86-64": "cp39-abi3-win_amd64",
}

FOR_ONE_PAIR = "sys_platform == 'win32' and python_version == '3.15'"


def make_wheel(
    folder: Path, name: str, tag: str = "py3-none-any", version: str = "1.0"
) -> Path:
    """A wheel with one module in it."""
    folder.mkdir(exist_ok=True)
    about = f"{name}-{version}.dist-info"
    content = {
        f"{name}.py": f"where = {tag!r}\n",
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{about}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n",
    }
    content[f"{about}/RECORD"] = "".join(
        f"{path},,\n" for path in [*content, f"{about}/RECORD"]
    )
    file = folder / f"{name}-{version}-{tag}.whl"
    with zipfile.ZipFile(file, "w") as archive:
        for path, text in content.items():
            archive.writestr(path, text)
    return file


def locked(*wheels: Path, marker: str = "") -> str:
    """What a lock says of a package with these wheels."""
    name, version, *_ = wheels[0].name.split("-")
    hashes = (hashlib.sha256(wheel.read_bytes()).hexdigest() for wheel in wheels)
    said = " \\\n".join(f"    --hash=sha256:{each}" for each in hashes)
    return f"{name}=={version}{marker and f' ; {marker}'} \\\n{said}\n    # via stormy-demo\n"


class Maker:
    """A house with a lock of made-up packages, some on a stick of its own, some on an index."""

    def __init__(self, folder: Path) -> None:
        self.house, self.index, self.stick = (folder / n for n in ("house", "index", "stick"))
        self.wheels = make_house(self.house) / "wheels"
        shutil.copy(ROOT / ".gitignore", self.house)
        (self.house / "notes of somebody.txt").touch()
        here = [
            make_wheel(self.wheels, "sunny"),
            *(make_wheel(self.wheels, "windy", tag) for tag in FOR_ONE_SYSTEM.values()),
        ]
        on_the_index = [
            make_wheel(self.index, "rainy", "cp315-cp315-win_amd64", version)
            for version in ("2.0", "3.0")
        ]
        not_for_it = make_wheel(self.index, "foggy", FOR_ONE_SYSTEM["Linux x86-64"])
        sunny, *windy = here
        old, new = on_the_index
        text = (
            locked(sunny)
            + locked(*windy)
            + locked(old, marker=f"{FOR_ONE_PAIR} and python_full_version < '3.15.5'")
            + locked(new, marker=f"{FOR_ONE_PAIR} and python_full_version >= '3.15.5'")
            + locked(not_for_it, marker=FOR_ONE_PAIR)
        )
        for lock in ("requirements.lock", "requirements-all.lock"):
            (self.house / lock).write_text(text, encoding="utf-8")
        self.expected = {wheel.name for wheel in (*on_the_index, *here)}
        borrow = [BASE, "-c", BORROW, sys.prefix, sysconfig.get_path("purelib")]
        subprocess.run(borrow, cwd=self.house, env=environment(), check=True)
        # What git and the kit leave behind, and no stick has.
        (self.house / "work").mkdir()
        (self.house / "work" / "01_callbacks.ipynb").touch()

    def make(self) -> Outcome:
        return door(
            self.house,
            "stick",
            str(self.stick),
            PIP_NO_INDEX="1",
            PIP_FIND_LINKS=str(self.index),
        )


@pytest.fixture(scope="module")
def maker(tmp_path_factory: pytest.TempPathFactory) -> Maker:
    return Maker(tmp_path_factory.mktemp("stick"))


@pytest.fixture(scope="module")
def made(maker: Maker) -> Outcome:
    """What was said while the stick was made."""
    outcome = maker.make()
    assert outcome.returncode == 0, outcome
    return outcome


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_stick_has_the_wheels_of_the_lock_for_everybody(maker: Maker, made: Outcome) -> None:
    assert names(maker.stick / "wheels") == maker.expected


def test_it_says_what_it_has_and_for_whom_there_is_nothing(made: Outcome) -> None:
    assert "Windows x86-64, Python 3.14: all wheels are there\n" in made.stdout
    assert "Windows x86-64, Python 3.15: wheels to fetch: 3\n" in made.stdout
    *_, lacks, last = made.stdout.splitlines()
    assert lacks == (
        "foggy 1.0 has no wheel for Windows x86-64, Python 3.15: lab wants a network there."
    )
    assert "8 wheels for 25 pairs of a system and a Python" in last


def test_a_stick_has_the_kit_and_nothing_of_whoever_made_it(
    maker: Maker, made: Outcome
) -> None:
    there = names(maker.stick)
    assert there >= {"workshop.py", "requirements.lock", "tools", "notebooks", "stormy_demo"}
    assert not there & {".venv", "work", ".git", ".workshop.lock"}
    assert len((maker.stick / "START.txt").read_text().splitlines()) == 3
    assert not [*maker.stick.rglob("__pycache__")]


def test_the_second_time_what_is_missing_is_added(maker: Maker, made: Outcome) -> None:
    kept, lost, damaged, *_ = sorted((maker.stick / "wheels").glob("windy*"))
    before, whole = kept.stat().st_mtime_ns, damaged.read_bytes()
    lost.unlink()
    damaged.write_bytes(whole[:-9])
    make_wheel(maker.stick / "wheels", "sunny", version="0.9")
    (maker.stick / "workshop.py").unlink()
    again = maker.make()
    assert again.returncode == 0, again
    assert names(maker.stick / "wheels") == maker.expected
    assert damaged.read_bytes() == whole
    assert (maker.stick / "workshop.py").is_file()
    assert kept.stat().st_mtime_ns == before


# The door's own set-up, with the pip of the Python that runs these tests.
SET_UP = """
import sys, sysconfig, venv
from pathlib import Path
from tools import set_up

def make_venv():
    venv.create(set_up.VENV, symlinks=sys.platform != "win32")
    site = sysconfig.get_path("purelib", "venv", {"base": str(set_up.VENV)})
    Path(site, "packages.pth").write_text(sys.argv[1], encoding="utf-8")

set_up.make_venv = make_venv
set_up.set_up(set_up.CORE)
"""


def test_the_kit_is_set_up_from_it_without_a_network(
    maker: Maker, made: Outcome, tmp_path: Path
) -> None:
    copy = shutil.copytree(maker.stick, tmp_path / "Übung drei")
    with nobody_listens() as url:
        done = subprocess.run(
            [BASE, "-c", SET_UP, sysconfig.get_path("purelib")],
            cwd=copy,
            env=environment(
                PIP_CONFIG_FILE=os.devnull,
                PIP_INDEX_URL=f"{url}/simple",
                PIP_FIND_LINKS="",
                PIP_CACHE_DIR=str(tmp_path / "pip"),
                UV_CACHE_DIR=str(tmp_path / "uv"),
            ),
            capture_output=True,
            text=True,
        )
    assert done.returncode == 0, done
    asked = [copy / ".venv" / BIN / f"python{EXE}", "-c", "import sunny, windy"]
    subprocess.run(asked, check=True)


# -- the kit -----------------------------------------------------------------------------------


@pytest.fixture
def kit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small kit, in the place of this one."""
    for name in (
        "workshop.py",
        "tools/a.py",
        "tools/work/b",
        "slides/build/c",
        "build/d",
        "x~",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / ".gitignore").write_text("# ours\nwork/\n\nslides/build/\n/build/\n*~\n")
    monkeypatch.setattr(stick, "ROOT", tmp_path)
    return tmp_path


def in_the_kit(root: Path) -> set[str]:
    return {path.relative_to(root).as_posix() for path in stick.files()}


OURS = {"workshop.py", "tools/a.py", ".gitignore"}


def test_without_git_the_kit_is_what_git_would_not_ignore(kit: Path) -> None:
    assert in_the_kit(kit) == OURS
    # A clone on a machine without git, or one that git refuses.
    (kit / ".git").mkdir()
    (kit / ".git" / "HEAD").touch()
    assert in_the_kit(kit) == OURS


@pytest.mark.skipif(not shutil.which("git"), reason="there is no git here")
def test_with_git_the_kit_is_what_git_knows(kit: Path) -> None:
    subprocess.run(["git", "init", "--quiet", "."], cwd=kit, check=True)
    subprocess.run(["git", "add", "."], cwd=kit, check=True)
    (kit / "passwords.txt").touch()
    (kit / "tools" / "a.py").unlink()
    assert in_the_kit(kit) == OURS - {"tools/a.py"}


# -- no place for a stick ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A house that is never set up."""
    house = make_house(tmp_path_factory.mktemp("no stick") / "house")
    shutil.copy(ROOT / ".gitignore", house)
    yield house
    assert not (house / ".venv").exists()


@pytest.mark.parametrize("inside", [".", "stick", "work/stick"])
def test_a_folder_in_the_project_is_refused(bare: Path, inside: str) -> None:
    assert_one_sentence(door(bare, "stick", inside), "is in the project", "outside", code=2)


def test_a_folder_with_other_files_is_refused(bare: Path, tmp_path: Path) -> None:
    (tmp_path / "taxes.ods").touch()
    outcome = door(bare, "stick", str(tmp_path))
    assert_one_sentence(outcome, "has other files in it", "new or empty", code=2)
    assert names(tmp_path) == {"taxes.ods"}
    outcome = door(bare, "stick", str(tmp_path / "taxes.ods"))
    assert_one_sentence(outcome, "is a file", "new or empty", code=2)


def test_a_folder_that_cannot_be_written_to(bare: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    outcome = door(bare, "stick", str(tmp_path / "file" / "stick"))
    assert_one_sentence(outcome, "put that right, or name another folder")


def with_shim(folder: Path, code: str) -> dict[str, str]:
    """An environment in which Python is another from the start."""
    folder.mkdir(exist_ok=True)
    (folder / "sitecustomize.py").write_text(code, encoding="utf-8")
    return {"PYTHONPATH": str(folder)}


FIVE_MB = """\
import shutil
shutil.disk_usage = lambda _: shutil._ntuple_diskusage(9_000_000, 4_000_000, 5_000_000)
"""
FULL = """\
import errno, os, shutil
def copyfile(source, target):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), target)
shutil.copyfile = copyfile
"""


def test_a_disk_without_room_is_told_before_anything_is_copied(
    bare: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "stick"
    # What is hidden, or the system's own, is on each new stick.
    (folder / ".Trashes").mkdir(parents=True)
    (folder / "System Volume Information").mkdir()
    outcome = door(bare, "stick", str(folder), **with_shim(tmp_path / "shim", FIVE_MB))
    assert_one_sentence(outcome, "has 5 MB free", "make room there")
    assert names(folder) == {"START.txt", ".Trashes", "System Volume Information"}


def test_a_disk_that_becomes_full(bare: Path, tmp_path: Path) -> None:
    shim = with_shim(tmp_path / "shim", FULL)
    outcome = door(bare, "stick", str(tmp_path / "stick"), **shim)
    assert_one_sentence(outcome, "is full", "goes on from here")
