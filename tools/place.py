"""Whether `.venv` can stand in this folder, and how it must be made there."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tools.paths import LOCK, ROOT, VENV
from tools.trouble import Trouble

if sys.platform != "win32":
    import pwd

ELSEWHERE = "and run workshop.py there"


def refuse() -> None:
    """Refuse a folder in which nothing that is installed would run.

    Raises:
        Trouble: this is such a folder; it says where to move it.
    """
    path = str(ROOT)
    if os.pathsep in path or len(path.splitlines()) > 1:
        sign = f"'{os.pathsep}'" if os.pathsep in path else "a line end"
        raise Trouble(
            f"Python cannot be set up in a folder with {sign} in its path: rename the folder, "
            f"or move it, {ELSEWHERE}."
        )
    try:
        os.fsencode(path).decode("utf-8")
    except UnicodeDecodeError:
        raise Trouble(
            f"the path of this folder is not in UTF-8 ({path!a}), which installers and "
            f"notebooks take for granted: rename the folder, or move it, {ELSEWHERE}."
        ) from None
    if sys.platform == "linux" and os.statvfs(ROOT).f_flag & os.ST_NOEXEC:
        raise Trouble(
            "the disk that this folder is on is mounted with 'noexec', so that nothing "
            "installed here may run: move the folder to another disk, such as that of your "
            f"home, {ELSEWHERE}."
        )


def has_links() -> bool:
    """Return whether a symbolic link can be made here, and followed: exFAT has none."""
    probe = ROOT / ".workshop.link"
    try:
        probe.unlink(missing_ok=True)
        probe.symlink_to("workshop.py")
        probe.open("rb").close()
    except OSError:
        return False
    finally:
        if os.path.lexists(probe):
            probe.unlink()
    return True


def not_ours() -> str | None:
    """Return the sentence for a folder that cannot be written to, unless it can be."""
    for path in (LOCK, VENV, ROOT):
        if os.path.lexists(path) and not os.access(path, os.W_OK):
            return told(path)
    return None


def told(path: Path) -> str:
    """Return the sentence for a place of this folder that cannot be written to."""
    whose = ""
    if sys.platform != "win32" and (uid := path.lstat().st_uid) != os.geteuid():
        try:
            owner = pwd.getpwuid(uid).pw_name
        except KeyError:
            owner = f"number {uid}"
        whose = f", since it belongs to another user ({owner})"
    return (
        f"{path} cannot be written to{whose}: copy the project to a folder of your own, "
        f"{ELSEWHERE}."
    )
