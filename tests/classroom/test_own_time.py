"""A clock that stands still while a process waits for a processor."""

from __future__ import annotations

import os
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from classroom.examining import own_time
from classroom.examining.descendants import MOST, descendants
from classroom.examining.own_time import OwnTime
from tests.paths import ROOT
from tests.quick_start import run


class Machine:
    """A system with a process of some threads, of which it tells how long each has waited."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.now = folder, 1000.0
        # The clock looks below /proc, and takes any name for a process.
        self.process = os.path.relpath(folder, "/proc")
        monkeypatch.setattr(own_time, "monotonic", lambda: self.now)

    def waits(self, **seconds: float) -> None:
        for thread, waited in seconds.items():
            file = self.folder / "task" / thread / "schedstat"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"123456 {int(waited * 1e9)} 7\n")


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


def test_it_counts_what_is_left_when_waiting_is_taken_away(machine: Machine) -> None:
    machine.waits(one=5.0, two=1.0)
    clock = OwnTime(process=machine.process)
    machine.now += 10
    machine.waits(one=5.0, two=5.0)
    assert clock.time() == pytest.approx(6)
    machine.now += 1
    machine.waits(one=6.0)
    assert clock.time() == pytest.approx(6)
    machine.now += 2
    assert clock.time() == pytest.approx(8)


def test_what_was_waited_before_it_began_does_not_count(machine: Machine) -> None:
    machine.waits(one=500.0)
    clock = OwnTime(process=machine.process)
    machine.now += 3
    assert clock.time() == pytest.approx(3)


def test_a_thread_that_is_new_counts_from_its_start_and_one_that_has_ended_no_more(
    machine: Machine,
) -> None:
    machine.waits(one=5.0)
    clock = OwnTime(process=machine.process)
    machine.now += 4
    machine.waits(two=3.0)
    assert clock.time() == pytest.approx(1)
    (machine.folder / "task" / "two" / "schedstat").unlink()
    machine.now += 4
    assert clock.time() == pytest.approx(5)


def test_it_never_goes_back(machine: Machine) -> None:
    machine.waits(one=0.0)
    clock = OwnTime(process=machine.process)
    machine.now += 0.004
    seen = clock.time()
    machine.now += 0.004
    machine.waits(one=9.0)
    assert clock.time() >= seen > 0


def test_a_process_that_was_started_counts_as_well(machine: Machine) -> None:
    machine.waits(one=0.0)
    (machine.folder / "task" / "one" / "children").write_text(f"{machine.process}/other ")
    clock = OwnTime(process=machine.process)
    machine.now += 10
    (machine.folder / "other").mkdir()
    (machine.folder / "other" / "schedstat").write_text("123456 4000000000 7\n")
    assert clock.time() == pytest.approx(6)


def test_processes_may_start_each_other_for_ever(machine: Machine) -> None:
    """They are looked for up to some number, and not one inside the other."""
    children = [f"{machine.process}/{number}" for number in range(2000)]
    for parent, child in pairwise([machine.process, *children]):
        file = Path("/proc", parent, "task", "one", "children")
        file.parent.mkdir(parents=True)
        file.write_text(child)
    assert descendants(machine.process) == children[:MOST]


STARTS_ONE = """
import os
from classroom.examining.descendants import descendants
read, write = os.pipe()
print(descendants("self"))
child = os.fork()
if not child:
    os.close(write)
    os._exit(len(os.read(read, 1)))
print(descendants("self") == [str(child)])
os.close(write)
# It has ended, and waits to be waited for: to look does not take that away.
os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
print(descendants("self") == [str(child)], os.waitpid(child, 0) == (child, 0))
print(descendants("self"))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what a process started")
def test_a_process_has_started_what_has_not_been_waited_for() -> None:
    done = run([sys.executable, "-c", STARTS_ONE], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.splitlines() == ["[]", "True", "True True", "[]"], done.stderr


def test_one_of_a_thread_does_not_care_for_the_others(machine: Machine) -> None:
    machine.waits(**{"71": 1.0, "72": 1.0})
    clock = OwnTime(71, machine.process)
    machine.now += 10
    machine.waits(**{"71": 3.0, "72": 9.0})
    assert clock.time() == pytest.approx(8)


def test_where_the_system_tells_nothing_it_is_the_usual_clock(machine: Machine) -> None:
    clock = OwnTime(process="no such process")
    machine.now += 7
    assert clock.time() == pytest.approx(7)
