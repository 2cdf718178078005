"""A room: everybody hears the same in the same order, also those who come late."""

from __future__ import annotations

import asyncio
import json
import struct
from typing import Any

import pytest

from stormy_demo.batteries.room import Message, Room


class Ear:
    """A member who keeps the frames that they are handed."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []

    def take(self, frame: bytes) -> None:
        self.frames.append(frame)

    @property
    def heard(self) -> list[str]:
        return [text for _, text in read(b"".join(self.frames))]


def read(frames: bytes) -> list[tuple[str, str]]:
    """Return who said what, from frames that are written behind each other."""
    found = []
    while frames:
        first, size = struct.unpack_from("!BB", frames)
        assert first == 0x81
        start = 2
        if size == 126:
            [size] = struct.unpack_from("!H", frames, 2)
            start = 4
        message = json.loads(frames[start : start + size])
        assert list(message) == ["id", "name", "text"]
        found.append((message["name"], message["text"]))
        frames = frames[start + size :]
    return found


async def filled(room: Room, *texts: str) -> list[str]:
    """Have ada say something, and return the ids."""
    for text in texts:
        await room.say("ada", text)
    return [message.id for message in room.since("")]


async def test_everybody_hears_everything_in_the_same_order() -> None:
    room = Room()
    ears = [Ear(), Ear(), Ear()]
    for ear in ears:
        room.join(ear)
    await filled(room, "one", "two", "three")
    assert [ear.heard for ear in ears] == [["one", "two", "three"]] * 3


async def test_what_everybody_is_handed_was_made_once() -> None:
    room = Room()
    ada, grace = Ear(), Ear()
    room.join(ada)
    room.join(grace)
    await room.say("ada", "hello")
    assert ada.frames[0] is grace.frames[0]


async def test_it_is_the_message_and_also_what_is_not_ascii() -> None:
    room, ear = Room(), Ear()
    room.join(ear)
    await room.say("Zoë", 'a "storm" 🌩 \x00' * 20)
    assert read(ear.frames[0]) == [("Zoë", 'a "storm" 🌩 \x00' * 20)]


async def test_who_comes_late_hears_what_was_said_last() -> None:
    room, late = Room(history=2), Ear()
    await filled(room, "one", "two", "three")
    room.join(late)
    await room.say("ada", "four")
    assert late.heard == ["two", "three", "four"]


async def test_who_comes_back_hears_what_they_missed() -> None:
    room, back = Room(), Ear()
    ids = await filled(room, "one", "two", "three")
    room.join(back, since=ids[0])
    assert back.heard == ["two", "three"]


async def test_who_has_left_hears_no_more() -> None:
    room, ear = Room(), Ear()
    room.join(ear)
    await room.say("ada", "one")
    room.leave(ear)
    room.leave(ear)
    await room.say("ada", "two")
    assert ear.heard == ["one"]
    assert room.members == set()


async def test_one_may_leave_while_everybody_is_told() -> None:
    room = Room()

    class Leaver(Ear):
        def take(self, frame: bytes) -> None:
            super().take(frame)
            room.leave(self)

    leavers, stayers = [Leaver() for _ in range(5)], [Ear() for _ in range(5)]
    for pair in zip(leavers, stayers, strict=True):
        for ear in pair:
            room.join(ear)
    await filled(room, "one", "two")
    assert [ear.heard for ear in leavers] == [["one"]] * 5
    assert [ear.heard for ear in stayers] == [["one", "two"]] * 5
    assert room.members == set(stayers)


@pytest.mark.parametrize(
    ("known", "newer"),
    [("", "one two three"), (0, "two three"), (2, ""), ("nobody's", "one two three")],
    ids=["nothing is known", "the first is", "the last is", "it is not ours"],
)
async def test_what_is_newer_than_a_message(known: str | int, newer: str) -> None:
    room = Room()
    ids = await filled(room, "one", "two", "three")
    last = ids[known] if isinstance(known, int) else known
    assert [message.text for message in room.since(last)] == newer.split()


async def test_ids_are_in_the_order_of_arrival_and_of_no_other_room() -> None:
    room, other = Room(history=200), Room(history=200)
    ids = await filled(room, *map(str, range(120)))
    assert ids == sorted(set(ids))
    assert not {*ids} & {*await filled(other, *map(str, range(120)))}


async def test_news_that_are_there_are_not_waited_for() -> None:
    room = Room()
    await filled(room, "one")
    news = room.news("")
    with pytest.raises(StopIteration) as answered:
        news.send(None)
    assert [message.text for message in answered.value.value] == ["one"]


async def test_all_who_wait_get_the_news() -> None:
    room = Room()
    [last] = await filled(room, "old")
    waiting = [asyncio.create_task(room.news(last)) for _ in range(3)]
    await asyncio.sleep(0)
    assert not any(task.done() for task in waiting)
    await filled(room, "new", "and newer")
    texts = [[message.text for message in await task] for task in waiting]
    assert texts == [["new", "and newer"]] * 3


async def test_one_who_no_longer_waits_takes_nobody_along() -> None:
    room = Room()
    gone, stays = [asyncio.create_task(room.news("")) for _ in range(2)]
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.wait([gone])
    assert gone.cancelled()
    await room.say("ada", "hello")
    assert [message.text for message in await stays] == ["hello"]


async def test_another_room_may_say_it_elsewhere_and_deliver_what_comes_back() -> None:
    class Echo(Room):
        async def say(self, name: str, text: str) -> None:
            self.deliver(Message("1-1", name, text.upper()))

    room, ear = Echo(), Ear()
    room.join(ear)
    await room.say("ada", "hello")
    assert ear.heard == ["HELLO"]
    assert room.since("") == [Message("1-1", "ada", "HELLO")]


@pytest.mark.parametrize("wrong", [{"history": 0}, {"most_waiting": 0}])
def test_a_room_for_nothing_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be 1 or more"):
        Room(**wrong)


def test_more_than_a_list_can_hold_is_refused() -> None:
    with pytest.raises(ValueError, match="at most, not 1000"):
        Room(history=10**20)
