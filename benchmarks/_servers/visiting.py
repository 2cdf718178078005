"""How a server is measured, and when what was measured was not the server."""

from __future__ import annotations

import http.client
import statistics
import time

import psutil  # type: ignore[import-untyped]

from classroom.measuring.load import Visit, visit
from classroom.measuring.program import Program
from classroom.measuring.rounds import Figures, Measure, Refused, Rounds
from stormy_demo.peers.answers import QUESTION

from .peers import Group

# Above this share of a processor the upstream may be what is measured,
TOO_BUSY = 0.9
# and above this share of what it answers when nobody is between.
TOO_NEAR = 0.9
ANSWER_TIMEOUT = 20.0  # seconds
# So many answers each visitor has to get: what is begun and not ended when time is up is in the
# processor time of a server, and in none of its answers. Who gives fewer is asked for longer.
EACH = 4
LONGEST = 8  # times as long
# A server has done what it had begun when it uses hardly anything of a processor for this long,
# in seconds; and how long that is waited for.
QUIET, HARDLY, FINISHING = 0.1, 0.05, 5.0


def measure_of(
    server: Program, group: Group, seconds: int, upstream: Program | None = None
) -> Measure:
    """Return what measures a server once.

    Args:
        server: it, or the upstream, if that is measured.
        group: what it is asked for.
        seconds: for how long. Who gives too few answers in that time is asked for longer, and
            from then on in each round.
        upstream: what it asks, if it asks anything.
    """
    lasts, longest = seconds, LONGEST * seconds

    def measure() -> Figures:
        nonlocal lasts
        try:
            told = answer_of(server, group.path)
            if told != group.answer:
                raise Refused(f"it answers {told[:80]!r}")
            seen, used, asked = visited(server, group, lasts, upstream)
            while seen.answers < EACH * group.at_once and lasts < longest:
                lasts *= 2
                seen, used, asked = visited(server, group, lasts, upstream)
        except psutil.NoSuchProcess:
            raise Refused("it has ended") from None
        if seen.answers < EACH * group.at_once:
            raise Refused(
                f"it gave {seen.answers} answers to {group.at_once} who asked at once, so that"
                " much of its work was for answers that did not come"
            )
        figures = {
            "cpu_us": used / seen.answers * 1e6,
            "rps": seen.rps,
            "p50_ms": seen.p50_ms,
            "p99_ms": seen.p99_ms,
        }
        if upstream:
            busy = asked / seen.seconds
            if busy > TOO_BUSY:
                raise Refused(f"the upstream was busy for {busy:.0%} of the time")
            figures["upstream_percent"] = busy * 100
        return figures

    return measure


def visited(
    server: Program, group: Group, seconds: int, upstream: Program | None
) -> tuple[Visit, float, float]:
    """Ask a server.

    Returns:
        What was seen, and the seconds of processor time that it used, and its upstream.

    Raises:
        Refused: an answer was no 200, none came, or those who asked were the bottleneck.
        psutil.NoSuchProcess: it has ended.
    """
    used, asked = server.whole_cpu(), upstream.cpu() if upstream else 0.0
    seen = visit(server.url + group.path, at_once=group.at_once, seconds=seconds)
    used = server.whole_cpu() - used
    asked = upstream.cpu() - asked if upstream else 0.0
    let_it_finish(server)
    return seen, used, asked


def let_it_finish(server: Program) -> None:
    """Wait until a server has done what it had begun for those who have left.

    Otherwise it would take the processor from whoever is measured next.
    """
    used, end = server.whole_cpu(), time.monotonic() + FINISHING
    while time.monotonic() < end:
        time.sleep(QUIET)
        before, used = used, server.whole_cpu()
        if used - before < HARDLY * QUIET:
            return


def measure_alone(upstream: Program, group: Group, seconds: int, answer: bytes) -> Measure:
    """Return what measures the upstream, with as many visitors, and nobody between.

    Args:
        upstream: it.
        group: what the servers are asked for, that ask it.
        seconds: for how long.
        answer: what it answers.
    """
    return measure_of(upstream, Group(QUESTION, answer, group.at_once, seconds), seconds)


def answer_of(server: Program, path: str) -> bytes:
    """Return what a server answers to one visitor.

    Raises:
        Refused: it does not answer, or with an error.
    """
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=ANSWER_TIMEOUT)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise Refused(f"it does not answer: {error}") from None
    finally:
        connection.close()
    if answer.status != 200:
        raise Refused(f"it answers with the status {answer.status}")
    return body


def refuse_what_the_upstream_held(rounds: Rounds, alone: str) -> None:
    """Refuse whoever asked about as much as the upstream can answer at all, in most rounds.

    Args:
        rounds: what was measured of servers, and of the upstream, in the same rounds.
        alone: under which name the upstream stands there.
    """
    if alone in rounds.refused:
        why = f"nobody knows what the upstream can answer: {rounds.refused[alone]}"
        rounds.refused |= {name: why for name in rounds.figures if name not in rounds.refused}
        return
    most = [one["rps"] for one in rounds.figures[alone]]
    for name, mine in rounds.figures.items():
        if name == alone or name in rounds.refused:
            continue
        share = statistics.median(
            one["rps"] / free for one, free in zip(mine, most, strict=True)
        )
        if share > TOO_NEAR:
            rounds.refused[name] = (
                f"it asked {share:.0%} of what the upstream answers when it is asked directly"
            )
