"""The first example of the README runs as it stands there, and prints what the README says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

README = files("trequests").joinpath("README.md").read_text(encoding="utf-8")
CODE, PRINTED = re.findall(r"^```\w*\n(.*?)^```$", README, flags=re.DOTALL | re.MULTILINE)


def test_the_first_example_runs_in_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "first.py").write_text(CODE, encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, "first.py"],
        cwd=tmp_path,
        # Its server is on this machine, whatever proxies the machine has.
        env={**os.environ, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, PRINTED, "")


def test_the_first_example_is_short() -> None:
    assert len(CODE.splitlines()) < 25
