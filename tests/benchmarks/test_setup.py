"""Set-up is measured from nothing each time, in folders of its own."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks import setup
from benchmarks._setup import ways
from benchmarks._setup.ways import Environment, Start, figures
from classroom.measuring.rounds import Refused


class Installer:
    """In the place of one: it looks at what it finds, and leaves an environment and a cache."""

    def __init__(self) -> None:
        self.found: list[dict[str, Any]] = []

    def __call__(self, folder: Path, environment: Environment) -> None:
        cache = Path(environment["UV_CACHE_DIR"])
        self.found.append(
            {
                "lock": (folder / "requirements.lock").is_file(),
                "tools": (folder / "tools" / "set_up.py").is_file(),
                "venv": (folder / ".venv").exists(),
                "cache": cache.exists(),
                "wheels": sorted(path.name for path in folder.glob("wheels/*")),
                "offline": "HTTPS_PROXY" in environment,
            }
        )
        cache.mkdir(parents=True, exist_ok=True)
        (cache / "one").write_bytes(bytes(1_000_000))
        (folder / ".venv").mkdir()
        os.link(cache / "one", folder / ".venv" / "one")
        (folder / ".venv" / "two").write_bytes(bytes(2_000_000))


def test_it_begins_with_nothing_but_what_the_start_says(tmp_path: Path) -> None:
    (tmp_path / "wheels").mkdir()
    (tmp_path / "wheels" / "a.whl").touch()
    install, own = Installer(), tmp_path / "own"
    for start in (Start(False), Start(True), Start(False), Start(False, tmp_path / "wheels")):
        seen = figures(install, start, own)
        # What is in both is there once, and the wheels were there before.
        assert seen["disk_mb"] == 3
    assert all(found["lock"] and found["tools"] for found in install.found)
    assert not any(found["venv"] for found in install.found)
    assert [found["cache"] for found in install.found] == [False, True, False, False]
    assert [found["wheels"] for found in install.found] == [[], [], [], ["a.whl"]]
    assert [found["offline"] for found in install.found] == [False, False, False, True]


def test_what_fails_is_refused_with_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="it failed: no luck"):
        ways.run(sys.executable, "-c", "exit('no luck')", folder=tmp_path, environment={})


@pytest.mark.parametrize(
    ("options", "groups"),
    [(["--quick"], ["a stick"]), ([], ["an empty cache", "a full cache", "a stick"])],
)
def test_what_is_measured_quickly_is_not_kept(
    options: list[str], groups: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = []
    monkeypatch.setattr(sys, "argv", ["setup", "--rounds=1", *options])
    monkeypatch.setattr(setup, "end_when_told", lambda: None)
    monkeypatch.setattr(setup, "stick_for_this_machine", lambda _: Start(False))
    monkeypatch.setattr(setup, "figures", lambda *_: {"seconds": 3.0})
    monkeypatch.setattr(setup, "keep", lambda name, found: kept.append((name, found)))
    setup.main()
    assert len(kept) == (not options)
    for name, found in kept:
        assert name == "setup"
        assert list(dict.fromkeys(row["group"] for row in found["results"])) == groups
