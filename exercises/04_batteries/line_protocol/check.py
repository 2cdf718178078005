"""A conversation by lines with clients that send too much at once, too little, or leave."""

from __future__ import annotations

import ast
from asyncio import Future
from typing import NoReturn

from tornado.iostream import StreamClosedError

from classroom.examining.case import Case, turns, until
from classroom.examining.clockwork import LONG, let_pass
from classroom.examining.evidence import place_of
from classroom.examining.kinds import code_exercise
from classroom.examining.mistakes import HOLDS, POLLS, SHORT_DEADLINE, TASK_LEFT
from classroom.examining.rendering import GIVE_UP_AFTER, shown
from classroom.examining.verdict import Mistake

from .conversation import Conversation, Server
from .mistakes import (
    CARRIAGE_RETURN,
    DECODES_OUTSIDE,
    DIES,
    ENDS_AT_ERROR,
    EVALUATES,
    FRACTIONS,
    IGNORED_BYTES,
    LEFT_OPEN,
    LEFT_OUT,
    NO_BOUND,
    NO_LINE_END,
    ONE_AT_A_TIME,
    ONE_LINE,
    OTHER_BOUND,
    PROMISE,
    READ_FOR_MESSAGE,
    SHARED,
    SILENT,
    STAYS,
    TEXT_WRITTEN,
    WAITS_FOR_MORE,
)

LONGEST = 100

# Lines that are answered with `error`, and what is said of them.
NOT_UNDERSTOOD = (
    (b"2 three\n", "the line `2 three`"),
    (b"2 \xff\n", "a line with a `2`, and a byte that is no text"),
    (b"2 2*3\n", "the line `2 2*3`"),
    (b'2 __import__("os")\n', 'the line `2 __import__("os")`'),
    (b"2 2.5\n", "the line `2 2.5`"),
    (b"2 1e3\n", "the line `2 1e3`"),
)


@code_exercise(
    (
        "Begin with one line: read it, with `read_until` and `max_bytes`; add up its numbers; "
        "write the answer, as bytes, with the line's end.",
        "Then put that into `while True:`, and the loop into `try` and "
        "`except StreamClosedError`.",
        "`sum(int(word) for word in line.split())` raises a `ValueError` where a word is no "
        "number. It takes bytes as they come.",
    ),
    READ_FOR_MESSAGE,
    WAITS_FOR_MORE,
    ONE_LINE,
    NO_LINE_END,
    CARRIAGE_RETURN,
    TEXT_WRITTEN,
    PROMISE,
    ENDS_AT_ERROR,
    DECODES_OUTSIDE,
    IGNORED_BYTES,
    LEFT_OUT,
    EVALUATES,
    FRACTIONS,
    SILENT,
    ONE_AT_A_TIME,
    SHARED,
    DIES,
    STAYS,
    NO_BOUND,
    OTHER_BOUND,
    LEFT_OPEN,
    POLLS,
    SHORT_DEADLINE,
    TASK_LEFT,
    another_way=(
        "Another right way: keep a buffer for each client, read with "
        "`read_bytes(100, partial=True)`, and take the lines out of the buffer yourself. That "
        "is what `read_until` does."
    ),
    known_by="partial",
    instead="`read_until` keeps such a buffer for you, in the stream.",
)
async def line_protocol(case: Case) -> None:
    """Ada talks in whole lines, in parts and in nonsense; Grace comes meanwhile; both leave."""
    case.if_stuck = HOLDS
    server = Server(case.function("serve"))
    ada = await _whole_lines(case, server)
    await _a_line_in_pieces(case, ada)
    await _what_is_no_number(case, ada)
    grace = await server.client()
    await _two_clients(case, ada, grace)
    await _leave(case, ada, grace)
    await _leave_before_the_answer(case, await server.client())
    await _long_lines(case, server)
    server.stop()
    case.refuse_if_anything_went_wrong("nothing goes to the log")


async def _whole_lines(case: Case, server: Server) -> Conversation:
    case.tries("Ada connects, and sends the line `2 3 10`.")
    ada = await server.client()
    expected = "she gets the line `15`"
    await ada.send(b"2 3 10\n")
    heard = await ada.lines(1)
    if heard == b"15":
        case.refuse(NO_LINE_END, expected, f"she gets {shown(heard)}, and waits for more")
    if heard != b"15\n":
        _why_not(case, ada, expected, heard, FRACTIONS if heard == b"15.0\n" else None)
    if ada.ended:
        # A task that goes on answers in time, or too late, as the machine is busy.
        _refuse_a_task_left(case, "`serve` goes on while she is there")

    case.tries("She sends the lines `1 2` and `3 4` at once.")
    expected = "she gets the line `3`, and then the line `7`"
    await ada.send(b"1 2\n3 4\n")
    heard = await ada.lines(2)
    if heard != b"3\n7\n":
        if ada.ended and not ada.error and not heard:
            _refuse_a_task_left(case, expected)
            case.refuse_if_anything_went_wrong(expected)
            case.refuse(ONE_LINE, expected, "`serve` has returned after the first line")
        _why_not(case, ada, expected, heard, _if_it_reads(case))
    return ada


def _if_it_reads(case: Case) -> Mistake | None:
    """Return what looks like it when lines are put together, or cut."""
    return READ_FOR_MESSAGE if case.uses("read_bytes", "read_into") else None


async def _a_line_in_pieces(case: Case, ada: Conversation) -> None:
    case.tries("She sends `1`, and pauses; then ` 2`, and pauses; then `0` and the line's end.")
    expected = "there is no answer before the line's end is there"
    await ada.send(b"1")
    await case.refuse_if_it_polls("`serve` waits for the rest of the line")
    let_pass()
    await turns()
    await ada.send(b" 2")
    if ada.heard:
        case.refuse(READ_FOR_MESSAGE, expected, f"she gets {shown(ada.heard)} before that")
    if ada.ended or ada.gone:
        expected = "`serve` waits for the rest of the line"
        if ada.error and not isinstance(ada.error, TimeoutError):
            _why_not(case, ada, expected, b"")
        case.refuse(SHORT_DEADLINE, expected, f"it gives up within {LONG:g} seconds")
    expected = "she gets the line `21`"
    await ada.send(b"0\n")
    heard = await ada.lines(1)
    if heard != b"21\n":
        _why_not(case, ada, expected, heard, _if_it_reads(case))


async def _what_is_no_number(case: Case, ada: Conversation) -> None:
    for line, said in NOT_UNDERSTOOD:
        case.tries(f"She sends {said}, and then the line `4 5`.")
        expected = "she gets the line `error`, and then the line `9`"
        await ada.send(line)
        await ada.send(b"4 5\n")
        heard = await ada.lines(2)
        if heard == b"error\n9\n":
            continue
        if isinstance(ada.error, UnicodeDecodeError):
            case.refuse(DECODES_OUTSIDE, expected, _ended(case, ada))
        if isinstance(ada.error, ValueError):
            case.refuse(ENDS_AT_ERROR, expected, _ended(case, ada))
        if heard == b"error9\n":
            case.refuse(NO_LINE_END, expected, _gets(heard))
        if heard == b"9\n":
            case.refuse(SILENT, expected, "she gets the line `9` alone")
        if (ada.ended or ada.gone) and not ada.error:
            case.refuse_if_anything_went_wrong(expected)
            got = f"{_gets(heard)}, and the conversation ends"
            case.refuse(ENDS_AT_ERROR, expected, got)
        _why_not(case, ada, expected, heard, _if_it_counts(case, ada, line, heard))


def _if_it_counts(case: Case, ada: Conversation, line: bytes, heard: bytes) -> Mistake | None:
    """Return what looks like it when a line that is no sum has got one."""
    if case.uses("eval", "exec") and (ada.error or heard.endswith(b"9\n")):
        return EVALUATES
    first, *_ = heard.split(b"\n")
    if first == b"2":
        return LEFT_OUT if line.isascii() else IGNORED_BYTES
    is_number = first.replace(b".", b"").isdigit()
    return FRACTIONS if is_number and (b"." in line or b"e3" in line) else None


async def _two_clients(case: Case, ada: Conversation, grace: Conversation) -> None:
    case.tries("Ada sends `1`, and pauses. Grace connects, and sends the line `2 2`.")
    expected = "Grace gets the line `4` while Ada pauses"
    await ada.send(b"1")
    await grace.send(b"2 2\n")
    heard = await grace.lines(1)
    if heard and heard != b"4\n":
        case.refuse(SHARED, expected, _gets(heard))
    if not heard:
        if grace.error:
            _why_not(case, grace, expected, heard)
        case.refuse(ONE_AT_A_TIME, expected, f"she gets nothing in {GIVE_UP_AFTER:g} seconds")
    expected = "Ada gets the line `1` when she has sent its end"
    await ada.send(b"\n")
    heard = await ada.lines(1)
    if heard != b"1\n":
        _why_not(case, ada, expected, heard, SHARED)


async def _leave(case: Case, ada: Conversation, grace: Conversation) -> None:
    for who, client, rest in (("Ada", ada, b"7 "), ("Grace", grace, b"")):
        when = "in the middle of a line" if rest else "between two lines"
        case.tries(f"{who} leaves {when}.")
        if rest:
            await client.send(rest)
        client.transport.close()
        await _ends_quietly(case, client)


async def _leave_before_the_answer(case: Case, alan: Conversation) -> None:
    case.tries("Alan sends the line `1 1`, and leaves before he is answered.")
    alan.leaves = True
    await alan.send(b"1 1\n")
    await _ends_quietly(case, alan)


async def _ends_quietly(case: Case, client: Conversation) -> None:
    expected = "`serve` returns, and nothing goes to the log"
    await until(lambda: client.ended)
    if isinstance(client.error, StreamClosedError):
        case.refuse(DIES, expected, _ended(case, client))
    if client.error:
        case.refuse_error(client.error, expected)
    if not client.ended:
        await case.refuse_if_it_polls(expected)
        case.refuse(STAYS, expected, f"after {GIVE_UP_AFTER:g} seconds it has not returned")
    case.refuse_if_anything_went_wrong(expected)


async def _long_lines(case: Case, server: Server) -> None:
    case.tries(f"Barbara sends a line of {LONGEST} bytes, with its end.")
    barbara = await server.client()
    await barbara.send(b"1 " * (LONGEST // 2 - 1) + b"1\n")
    heard = await barbara.lines(1)
    if heard != b"50\n":
        expected = "she gets the line `50`"
        if barbara.error and not isinstance(barbara.error, StreamClosedError):
            _why_not(case, barbara, expected, heard)
        got = _gets(heard) + (", and is sent away" if barbara.gone else "")
        case.refuse(OTHER_BOUND, expected, got)

    expected = "the connection is closed, and `serve` returns"
    for number, end in ((LONGEST + 1, b"\n"), (1000, b"")):
        what = "with its end" if end else "and no end comes"
        case.tries(f"Somebody sends a line of {number} bytes, {what}.")
        client = barbara if end else await server.client()
        await client.send(b"1".rjust(number - len(end)) + end)
        await until(lambda client=client: client.gone and client.ended)  # type: ignore[misc]
        if isinstance(client.error, StreamClosedError):
            case.refuse(DIES, expected, _ended(case, client))
        if client.error:
            case.refuse_error(client.error, expected)
        if client.gone and client.ended and client.heard in (b"", b"error\n"):
            continue
        if client.ended or client.heard == b"error\n":
            case.refuse(LEFT_OPEN, expected, "the connection stays open")
        got = f"she gets {shown(client.heard)}" if client.heard else "the line is waited for"
        is_bound = end and (_says_max_bytes(case) or case.uses("len"))
        case.refuse(OTHER_BOUND if is_bound else NO_BOUND, expected, got)


def _says_max_bytes(case: Case) -> bool:
    return any(
        isinstance(node, ast.keyword) and node.arg == "max_bytes"
        for node in ast.walk(case.tree)
    )


def _refuse_a_task_left(case: Case, expected: str) -> None:
    if case.has_tasks_left() or case.uses("create_task", "ensure_future"):
        case.refuse(TASK_LEFT, expected, "`serve` has returned, and the client is still there")


def _gets(heard: bytes) -> str:
    return f"she gets {shown(heard) if heard else 'nothing'}"


def _ended(case: Case, client: Conversation) -> str:
    assert client.error
    where = case.line_of(client.error)
    text = f"`serve` ends with {type(client.error).__name__}"
    return f"{text} ({where})" if where else text


def _why_not(
    case: Case,
    client: Conversation,
    expected: str,
    heard: bytes,
    mistake: Mistake | None = None,
) -> NoReturn:
    """Refuse an answer, for the exception with which `serve` ended, or for what was heard."""
    if client.error:
        _why_an_error(case, client.error, expected, mistake)
    if b"\r\n" in heard:
        case.refuse(CARRIAGE_RETURN, expected, _gets(heard))
    if client.ended:
        _refuse_a_task_left(case, expected)
    case.refuse_if_anything_went_wrong(expected)
    if heard or mistake:
        case.refuse(mistake, expected, _gets(heard))
    if client.ended:
        case.refuse(None, expected, "`serve` returns, and has written nothing")
    got = f"she gets nothing in {GIVE_UP_AFTER:g} seconds"
    case.refuse(WAITS_FOR_MORE if client.is_read else None, expected, got)


def _why_an_error(
    case: Case, error: BaseException, expected: str, mistake: Mistake | None
) -> NoReturn:
    place = place_of(error)
    where = case.line_of(error)
    got = f"{type(error).__name__}: {error}" + (f" ({where})" if where else "")
    if isinstance(getattr(error, "obj", None), Future) or "Future" in str(error):
        case.refuse(PROMISE, expected, got)
    if isinstance(error, TypeError) and place and place.module == "tornado.iostream":
        case.refuse(TEXT_WRITTEN, expected, got)
    if mistake and (isinstance(error, ValueError) or mistake is EVALUATES):
        case.refuse(mistake, expected, got)
    case.refuse_error(error, expected)
