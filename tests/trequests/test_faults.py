"""Whatever goes wrong upstream, requests raises on the loop what it raises elsewhere."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
import trustme
from tornado.web import Application, RequestHandler

import tornalet
from benchmarks._faults import CLIENT_TIMEOUT, FAULTS, ask, upstream
from loopfilm import running
from tornalet import run
from tornalet.waiting import _Plain
from trequests import ENGINES, setup_session

pytestmark = pytest.mark.usefixtures("no_noise")

PATIENCE = 300  # seconds, for what does not depend on time


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("engine", [None, *ENGINES])
async def test_the_exception_is_the_one_of_stock_requests(
    engine: str | None, name: str
) -> None:
    fault = FAULTS[name]
    # A busy machine gets more time: something else than what hangs may have taken too long.
    timeouts = (CLIENT_TIMEOUT, 1, 5, 25) if "timeout" in fault.options else (PATIENCE,)
    if engine == "curl":
        pytest.importorskip("pycurl")
    for seconds in timeouts:
        options = {**fault.options, "timeout": seconds}
        async with upstream(fault) as url:
            if engine is None:
                error = await asyncio.to_thread(ask, url, options)
            else:
                with setup_session(engine=engine):
                    error = await run(ask, url, options)
        if type(error) is (fault.error or type(None)):
            break
    assert type(error) is (fault.error or type(None)), error


@pytest.fixture
def left(open_descriptors: Callable[[], int]) -> Callable[[], list[int]]:
    """Count the descriptors, tasks and greenlets that there are."""

    def count() -> list[int]:
        descriptors = open_descriptors()
        plain = sum(isinstance(each, _Plain) for each in gc.get_objects())
        return [descriptors, len(asyncio.all_tasks()), plain]

    return count


async def all_gone(count: Callable[[], list[int]], before: list[int]) -> None:
    """The loop, and the upstream, take a turn or two to forget."""
    async with asyncio.timeout(PATIENCE):
        while any(now > then for now, then in zip(count(), before, strict=True)):
            await asyncio.sleep(0)


async def test_a_thousand_of_them_leave_nothing_behind(
    left: Callable[[], list[int]], tmp_path: Path
) -> None:
    # To load all authorities that there are would be most of the work.
    authority = tmp_path / "authority.pem"
    trustme.CA().cert_pem.write_to_path(authority)
    # Not those that hang on how fast the machine is.
    names = [n for n, f in FAULTS.items() if not (f.full or f.pause or "name" in n)]
    each = 1000 // len(names) + 1

    async def all_at_once(times: int) -> None:
        for name in names:
            fault = FAULTS[name]
            options = {"timeout": PATIENCE, **fault.options, "verify": str(authority)}
            expected = {fault.error or type(None)}
            if "timeout" in fault.options:
                # With so many at once the time may be over before the body hangs.
                expected.add(requests.ReadTimeout)
            async with upstream(fault) as url:
                several = [run(ask, url, options) for _ in range(times)]
                errors = await asyncio.gather(*several)
            assert {type(error) for error in errors} <= expected, name

    # Other tests may have left code where it stands, for good.
    earlier = left()[2]
    with setup_session(engine="sockets"):
        await all_at_once(1)
        before = left()
        await all_at_once(each)
    await all_gone(left, before)
    assert before[2] <= earlier


async def test_those_that_are_cancelled_leave_nothing_behind(
    left: Callable[[], list[int]],
) -> None:
    fault = FAULTS["an answer that hangs"]
    no_limit: dict[str, Any] = {"timeout": None}
    with setup_session(engine="sockets"):
        async with upstream(fault) as url:
            await run(ask, url, fault.options)
            before = left()
            asking = [asyncio.create_task(run(ask, url, no_limit)) for _ in range(100)]
            await asyncio.sleep(0)
            for task in asking:
                task.cancel()
            results = await asyncio.gather(*asking, return_exceptions=True)
        assert {type(result) for result in results} == {asyncio.CancelledError}
        # Their tracebacks have the frames of the greenlets.
        del results, asking, task
    await all_gone(left, before)


class Flood(RequestHandler):
    """Sends 200 MB, and counts what has gone out."""

    async def get(self) -> None:
        for _ in range(200):
            self.write(bytes(1_000_000))
            await self.flush()
            self.settings["sent"].append(1_000_000)


async def test_a_slow_reader_holds_up_the_sender_and_not_the_memory() -> None:
    """What is on its way is in the sockets of the system, and they hold a few MB."""
    sent = list[int]()
    read = ahead = 0

    def slowly(url: str) -> None:
        nonlocal read, ahead
        with requests.get(url, stream=True, timeout=PATIENCE) as answer:
            for piece in answer.iter_content(500_000):
                read += len(piece)
                for _ in range(3):
                    # Whoever wants to send more can do so now.
                    tornalet.wait(asyncio.sleep(0))
                ahead = max(ahead, sum(sent) - read)

    async with running(Application([("/", Flood)], sent=sent)) as url:
        with setup_session(engine="sockets"):
            await run(slowly, url)
    assert read == 200_000_000
    assert ahead < 32_000_000
