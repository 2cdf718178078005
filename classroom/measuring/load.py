"""Load for a server, from a process of its own: wrk, or a client in Python where wrk is not."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache

from .rounds import Refused

# Above this share of a processor, what asks may be slower than what is asked.
TOO_BUSY = 0.9
UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 60e3}


@dataclass(frozen=True)
class Visit:
    """What was seen of a server while it was visited.

    Attributes:
        answers: how many there were.
        seconds: for how long it was visited.
        p50_ms: within how many milliseconds half of the answers had come.
        p99_ms: and 99 of a hundred.
        busy: the share of a processor that those who asked used.
    """

    answers: int
    seconds: float
    p50_ms: float
    p99_ms: float
    busy: float

    @property
    def rps(self) -> float:
        """Return how many answers there were each second."""
        return self.answers / self.seconds


@cache
def load_generator() -> str:
    """Return what makes the load here, with its version, as tables say it."""
    if not shutil.which("wrk"):
        return "a client in Python"
    said = subprocess.run(["wrk", "-v"], capture_output=True, text=True).stdout
    version = re.match(r"wrk (?:debian/)?([0-9.]+)", said)
    return f"wrk {version[1]}" if version else "wrk"


def visit(
    url: str,
    *,
    at_once: int,
    seconds: int,
    headers: tuple[str, ...] = (),
    by_wrk: bool | None = None,
    answers: int | None = None,
    at_least: bool = False,
) -> Visit:
    """Ask a server again and again, on connections that are kept.

    Args:
        url: what is asked for.
        at_once: how many connections ask, each as soon as it has its answer.
        seconds: for how long.
        headers: more lines of each request, as `Name: value`.
        by_wrk: whether wrk asks; if left out, wherever it is. It corrects the longest waits: to
            each it adds those of questions that would have been asked meanwhile.
        answers: after how many it ends, if they come sooner; wrk does not count, so a client
            in Python asks.
        at_least: whether it is only to be known what the server can do at least, which those
            who asked show also where they were the bottleneck.

    Returns:
        What was seen, of answers that came in time; who still waits at the end is not counted.

    Raises:
        Refused: an answer was no 200 (wrk takes all below 400 for good), none came, or those
            who asked were the bottleneck.
        FileNotFoundError: wrk is to ask, and is not here.
    """
    if by_wrk is None:
        by_wrk = load_generator().startswith("wrk")
    if by_wrk and answers is None:
        seen = _by_wrk(url, at_once, seconds, headers)
    else:
        seen = _by_python(url, at_once, seconds, headers, answers)
    came, lasted, p50, p99, failed, cpu = seen
    if failed:
        raise Refused(f"{failed} of {came + failed} answers were no 200, or did not come")
    if not came:
        raise Refused("no answer came")
    busy = cpu / lasted
    if busy > TOO_BUSY and not at_least:
        raise Refused(f"what asked it was busy for {busy:.0%} of the time, and may be slower")
    return Visit(came, lasted, p50, p99, round(busy, 3))


_Seen = tuple[int, float, float, float, int, float]


def _children() -> float:
    # Windows has neither this module nor wrk.
    import resource

    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _by_wrk(url: str, at_once: int, seconds: int, headers: tuple[str, ...]) -> _Seen:
    command = ["wrk", "--latency", "-t1", f"-c{at_once}", f"-d{seconds}s", "--timeout=20s"]
    command += [f"-H{header}" for header in headers]
    before = _children()
    said = subprocess.run([*command, url], capture_output=True, text=True)
    cpu = _children() - before
    if said.returncode:
        raise Refused(f"wrk could not ask it: {said.stdout.strip() or said.stderr.strip()}")
    words = said.stdout

    def part(share: str) -> float:
        found = re.search(rf"^\s*{share}%\s+([0-9.]+)(us|ms|s|m) *$", words, re.MULTILINE)
        assert found, words
        return float(found[1]) * UNITS[found[2]]

    total = re.search(r"(\d+) requests in ([0-9.]+)(ms|s|m),", words)
    assert total, words
    errors = re.search(
        r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", words
    )
    others = re.search(r"Non-2xx or 3xx responses: (\d+)", words)
    bad = int(others[1]) if others else 0
    failed = bad + (sum(map(int, errors.groups())) if errors else 0)
    lasted = float(total[2]) * UNITS[total[3]] / 1e3
    # Its requests are all that were answered, well or badly.
    return int(total[1]) - bad, lasted, part("50"), part("99"), failed, cpu


def _by_python(
    url: str, at_once: int, seconds: int, headers: tuple[str, ...], answers: int | None
) -> _Seen:
    command = [sys.executable, "-P", "-m", "classroom.measuring.visitors", url]
    command += [f"--at-once={at_once}", f"--seconds={seconds}"]
    command += [f"--header={header}" for header in headers]
    command += [f"--answers={answers}"] if answers is not None else []
    said = subprocess.run(command, capture_output=True, text=True)
    if said.returncode:
        why = said.stderr.strip().splitlines() or ["it said nothing"]
        raise Refused(f"the client could not ask it: {why[-1]}")
    seen = json.loads(said.stdout)
    names = ("answers", "seconds", "p50_ms", "p99_ms", "failed", "cpu_s")
    came, lasted, p50, p99, failed, cpu = (seen[name] for name in names)
    return came, lasted, p50, p99, failed, cpu
