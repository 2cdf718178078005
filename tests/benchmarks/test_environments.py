"""An environment is made from its lock, with hashes, and anew when the lock is another."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from benchmarks._shared import environments
from benchmarks._shared.environments import NoEnvironment, environment


@pytest.fixture(autouse=True)
def a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environments, "ENVIRONMENTS", tmp_path / "environments")


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    """A lock that asks for nothing, so that no test needs a network."""
    file = tmp_path / "some.lock"
    file.write_text("# nothing\n", encoding="utf-8")
    return file


def test_an_environment_has_what_its_lock_says_and_nothing_of_ours(lock: Path) -> None:
    python = environment("some", lock)
    done = subprocess.run([python, "-c", "import tornado"], capture_output=True, text=True)
    assert "No module named 'tornado'" in done.stderr


def test_it_is_made_once_and_again_when_its_lock_is_another(lock: Path) -> None:
    mark = environment("some", lock).parent.parent / "mark"
    mark.touch()
    environment("some", lock)
    assert mark.exists()
    lock.write_text("# nothing again\n", encoding="utf-8")
    environment("some", lock)
    assert not mark.exists()


def test_nothing_is_installed_without_a_hash(lock: Path) -> None:
    lock.write_text("h11==0.16.0\n", encoding="utf-8")
    with pytest.raises(NoEnvironment, match=r"cannot be made: .*hash"):
        environment("some", lock)
    assert not [*environments.ENVIRONMENTS.iterdir()]


def test_a_python_that_is_not_there_is_named(lock: Path) -> None:
    with pytest.raises(NoEnvironment, match=r"^there is no python0\.1 here$"):
        environment("some", lock, "python0.1")


def test_without_uv_it_says_so(lock: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environments, "UV", Path("nobody-has-this"))
    with pytest.raises(NoEnvironment, match="made with uv, which is not in"):
        environment("some", lock)
