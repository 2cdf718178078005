"""Who lacked a processor is not to blame, and who slept is."""

from __future__ import annotations

import pytest

from loopfilm.processor import Scheduled
from loopfilm.record import Long
from tests.loopfilm.servers import recorded, request


@pytest.mark.parametrize(
    ("ran", "lacked", "held"),
    [
        (0.0, 0.0, ["ada"]),  # it slept
        (0.6, 0.0, ["ada"]),  # it computed
        (0.01, 0.58, []),  # it stood in line
        (0.3, 0.3, ["ada"]),  # it computed, and stood in line half of the time
        (0.2, 0.4, []),  # what it computed is short
        (0.01, 0.4, ["ada"]),  # it slept, and part of what it waited for passed in line
    ],
)
def test_of_a_step_of_six_tenths_of_a_second(
    ran: float, lacked: float, held: list[str]
) -> None:
    f = recorded((request("ada"), 1.0, 1.6))
    lacked, slept = Scheduled(5 + ran, 7 + lacked).since(Scheduled(5, 7), 0.6)
    f.record.long[1.0] = Long(lacked, slept=slept)
    assert f.held == held


def test_more_than_the_step_can_have_lacked_is_of_before_it() -> None:
    assert Scheduled(0.0, 9.0).since(Scheduled(0.0, 0.0), 0.5) == (0.5, 0.0)
