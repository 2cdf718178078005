"""Where things of the kit are."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BIN, EXE = ("Scripts", ".exe") if sys.platform == "win32" else ("bin", "")
PYTHON, UV = VENV / BIN / f"python{EXE}", VENV / BIN / f"uv{EXE}"
# A folder of wheels beside the kit, as a stick has it: what is there is not fetched.
WHEELS = ROOT / "wheels"
LOCK = ROOT / ".workshop.lock"
STAMP, LOG = VENV / "stormy.stamp", VENV / "setup.log"
