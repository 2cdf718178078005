"""Of every sort of application the film says what somebody would say who watched."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest

from loopfilm import Film, film, lane, sampling
from tests.loopfilm.applications import CASES, and_close_sockets, looks
from tests.loopfilm.servers import clock, turns_of_the_loop

pytestmark = pytest.mark.usefixtures("measured_by_hand")


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody looks more often than on a clock on the wall, and counts it."""
    monkeypatch.setattr(sampling, "MOST", 0.01)
    monkeypatch.setattr(sampling, "place_of_thread", looks)
    # A clock that has just been started knows no pauses.
    clock.now += 1


@pytest.mark.parametrize("name", CASES)
def test_what_the_film_says_is_so(name: str) -> None:
    make, text, held = CASES[name]
    f = asyncio.run(and_close_sockets(make))
    assert str(f) == text
    assert [f"{hold.lane}: {hold.call}" for hold in f.held_at] == held
    lanes = dict.fromkeys(hold.lane for hold in f.held_at if hold.lane != "other work")
    assert f.held == list(lanes)


NESTED = """
import asyncio
import time

import nest_asyncio
from tornado.web import Application, RequestHandler

from loopfilm import visited

class Nested(RequestHandler):
    def get(self):
        asyncio.get_event_loop().run_until_complete(self.inner())

    async def inner(self):
        # The loop goes on meanwhile, and then it does not.
        await asyncio.sleep(1)
        if self.get_argument("user") == "grace":
            time.sleep(1)

async def main():
    nest_asyncio.apply()
    return await visited(Application([("/", Nested)]), ["/?user=ada", "/?user=grace"], red=0.5)

f = asyncio.run(main())
print(f, [hold.line for hold in f.held_at])
"""


def test_a_loop_within_a_step_holds_nobody_and_what_blocks_in_it_does() -> None:
    done = subprocess.run(
        [sys.executable, "-c", NESTED], capture_output=True, text=True, check=True
    )
    assert done.stdout == "ada and grace: 2 at once. grace held the loop. ['<string>:18']\n"


def test_a_lane_may_be_called_what_the_film_calls_the_rest() -> None:
    async def experiment() -> Film:
        with film() as f:
            with lane("other work"):
                asyncio.get_running_loop().call_soon(clock.block)
            asyncio.get_running_loop().call_soon(clock.block)
            await turns_of_the_loop()
        return f

    f = asyncio.run(experiment())
    assert str(f) == "other work: alone. other work held the loop."
    assert f.held == ["other work"]
    assert len(f.held_at) == 2
