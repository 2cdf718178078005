"""What is left of a program is found, and nothing else."""

from __future__ import annotations

import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.leftovers import Leftovers

# It starts another one, which reads to the end of the same input, says who that is, and ends.
STARTS_ANOTHER = """
import subprocess, sys
print(subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"]).pid)
"""


@pytest.fixture
def leftovers() -> Iterator[Leftovers]:
    noted = Leftovers()
    yield noted
    noted.close()


def test_of_nothing_nothing_is_left(leftovers: Leftovers) -> None:
    with tempfile.TemporaryFile(), socket.create_server(("127.0.0.1", 0)):
        subprocess.run([sys.executable, "-S", "-c", ""], check=True)
    assert leftovers.found() == []


def test_a_process_is_found_whose_parent_has_ended(leftovers: Leftovers) -> None:
    with subprocess.Popen(
        [sys.executable, "-S", "-c", STARTS_ANOTHER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdout
        assert parent.stdin
        left = int(parent.stdout.readline())
        parent.wait()
        [line] = leftovers.found(patience=0)
        assert line.startswith(f"process {left}: ")
        parent.stdin.close()
        assert leftovers.found() == []


def test_ports_and_files_are_found(leftovers: Leftovers) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        kept = Path(tempfile.mkdtemp(), "file")
        kept.write_text("")
        port = server.getsockname()[1]
        assert leftovers.found() == [f"port {port}", f"file {kept.parent.name}", "file file"]
    leftovers.close()
    assert not kept.parent.exists()
    assert tempfile.gettempdir() != str(leftovers.folder)
