"""What a program has started and not ended: processes, ports and files.

    leftovers = Leftovers()
    ...
    leftovers.found()

This may be asked again, for more of the program; `close` ends it.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

import psutil

# Seconds for what has been told to end; no machine is too busy for that.
TO_END = 200.0


class Leftovers:
    """Notes what this process starts from now on.

    Whatever is put into the system's folder for passing files goes into one of its own, whose
    path stands in the environment. So it also knows a process whose parent has ended.
    """

    def __init__(self) -> None:
        """Begin to note."""
        self.folder = Path(tempfile.mkdtemp(prefix="left-"))
        # The first is read on Unix, and the second on Windows.
        self.before = {name: os.environ.get(name) for name in ("TMPDIR", "TEMP")}
        self.put_files_into(dict.fromkeys(self.before, str(self.folder)))
        self.ports = listening()
        # Tests that came before keep what starts their programs.
        self.here = {each.pid for each in psutil.Process().children()}

    def found(self, patience: float = TO_END) -> list[str]:
        """Say what there is, when whatever is about to end has ended.

        Args:
            patience: seconds that a process has for its end.

        Returns:
            A line for each process, for each port on which this one listens, and for each file.
        """
        started = [each for each in psutil.process_iter() if self.has_started(each)]
        _, alive = psutil.wait_procs(started, timeout=patience)
        return [
            *(f"process {each.pid}: {each.name()}" for each in alive),
            *(f"port {port}" for port in sorted(listening() - self.ports)),
            *(f"file {path.name}" for path in sorted(self.folder.rglob("*"))),
        ]

    def has_started(self, process: psutil.Process) -> bool:
        """Whether a process is this one's, at whatever remove."""
        try:
            return process.pid not in {os.getpid(), *self.here} and (
                process.ppid() == os.getpid() or str(self.folder) in process.environ().values()
            )
        except psutil.Error:
            # It has ended by now, or is somebody else's.
            return False

    def close(self) -> None:
        """Note no longer; whatever files were found are gone."""
        self.put_files_into(self.before)
        shutil.rmtree(self.folder, ignore_errors=True)

    @staticmethod
    def put_files_into(variables: Mapping[str, str | None]) -> None:
        """Have this process, and those that it starts, go by these variables."""
        for name, value in variables.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
        # Otherwise it knows the folder that it has found first.
        tempfile.tempdir = None


def listening() -> set[int]:
    """Return the ports on which this process listens."""
    return {
        each.laddr.port
        for each in psutil.Process().net_connections("inet")
        if each.status == psutil.CONN_LISTEN
    }
