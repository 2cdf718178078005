"""The mistakes that can be made in any exercise, or in several.

One that can be made in any belongs into `GENERAL` too, and into `SIGNS` if an exception gives
it away; else a checker, `case` or `child` has to notice it. An exercise may have a mistake of
the same key, with hints of its own. Mistakes in reading and running a cell at all are in
`parent`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from inspect import isawaitable
from types import CoroutineType

from tornado.gen import BadYieldError
from tornado.httpclient import AsyncHTTPClient, HTTPResponse
from tornado.ioloop import IOLoop

from .evidence import (
    YOUR_CODE,
    awaited_in_vain,
    called_in_vain,
    entered_in_vain,
    lines_of,
    operand_of,
    place_of,
)
from .rendering import described
from .verdict import Mistake

RAISES = Mistake(
    "raises",
    "an exception of your own code",
    ("Python says what is wrong, and in which line if it is one of yours. Look there first.",),
)
FORGOTTEN_AWAIT = Mistake(
    "forgotten_await",
    "a forgotten `await`",
    (
        "There is a coroutine object that nobody awaited: nothing of it was run.",
        "Put `await` in front of it.",
    ),
)
NESTED_LOOP = Mistake(
    "nested_loop",
    "a second loop inside the first",
    (
        "`asyncio.run` starts a loop, and one runs here already.",
        "Inside `async def`, say `await` where you would say `asyncio.run`.",
    ),
)
STOPS_THE_LOOP = Mistake(
    "stops_the_loop",
    "a loop that is stopped for everybody",
    (
        "The loop that `stop` stops is the one on which all others run, too.",
        "Return, and let whoever started the loop stop it.",
    ),
)
CANCELS_ALL = Mistake(
    "cancels_all",
    "a `cancel` for tasks that are not your own",
    (
        "Which tasks does `all_tasks` give, and who started them? The check is one of them, "
        "and so is the server.",
        "Cancel only what your own code has started, by the name that you gave it.",
    ),
)
AWAITS_NOTHING = Mistake(
    "awaits_nothing",
    "an `await`, or a `wait`, for something that cannot be awaited",
    (
        "What is it that your `await`, or your `wait`, is given? The message names its type.",
        "A value that is there already needs neither. And what only leaves a note with the "
        "loop, as `call_later` does, gives nothing to wait for: `asyncio.sleep` does.",
    ),
)
PLAIN_WITH = Mistake(
    "plain_with",
    "`with` where `async with` is wanted",
    (
        "To enter that block may take a while. Which word lets others run meanwhile?",
        "`async with`, in front of the same thing.",
    ),
)
OPENED_TWICE = Mistake(
    "opened_twice",
    "an answer that is taken for a promise",
    (
        "What do you have when `await` is done: a box, or what was in it?",
        "`await` has opened the box already: leave `.result()` away.",
    ),
)
AFTER_THE_END = Mistake(
    "after_the_end",
    "an answer that is written after the request has ended",
    (
        "Tornado sends the answer when `get` is done. What was still under way then?",
        "Let `get` last until the answer is written. In a coroutine: `await` what it needs.",
    ),
)
EXITS = Mistake(
    "exits",
    "code that ends the whole program",
    ("A server that leaves ends for everybody. Return, or raise an exception, instead.",),
)
MISSING = Mistake(
    "missing",
    "a name that was changed, or is gone",
    ("Keep the name and the parameters that the exercise gave.",),
)
OTHER_ARGUMENTS = Mistake(
    "other_arguments",
    "a function that is called with other arguments than it takes",
    (
        "Who calls this function, and with what? Compare that with what it takes.",
        "A receiver is called with the full future, an alarm with nothing. `partial` puts "
        "arguments of your own in front of those.",
    ),
)
REPLACED = Mistake(
    "replaced",
    "a name of Python's, or of Tornado's, that was replaced for everybody",
    (
        "What you put into a module holds for all code that runs here, also for Tornado's and "
        "for the check's.",
        "Give your own things names of your own, and leave those of Python's modules, and of "
        "Tornado's, as they are.",
    ),
)
PATCHED = Mistake(
    "patched",
    "a patch that changes Python for everybody",
    (
        "What does the patch change, and for whom? Tornado's loop waits underneath as well, "
        "and so does the check.",
        "Leave the patch away. Code that blocks is made polite where it waits, and not in all "
        "of Python.",
    ),
)
FORKS = Mistake(
    "forks",
    "a second process with the loop and the connections of the first",
    (
        "After `fork` there are two of you, with one socket. Which of them answers the next "
        "visitor?",
        "Fork before there is a loop, as Tornado does at its start, or have work done by a "
        "pool of processes.",
    ),
)
ENDLESS = Mistake(
    "endless",
    "a loop that does not end",
    (
        "The thread is at work all the time, and comes to no end.",
        "To wait for something, do not look again and again whether it is there.",
    ),
)
HOLDS = Mistake(
    "holds_the_loop",
    "a call that holds the loop",
    ("While this line waits, the thread waits with it, and nobody else is served.",),
)
TOO_LONG = Mistake(
    "too_long",
    "something that never comes to its end",
    ("Who is waiting for whom? Something that is waited for is never done.",),
)
MEMORY = Mistake(
    "memory",
    "memory that is taken without end",
    (
        "Which of your lines takes memory, or adds to something? How often is it run, and what "
        "ends it?",
        "An exercise needs a few values at a time. Keep those, and let go of the others.",
    ),
)
RETURNED_TOO_EARLY = Mistake(
    "returned_too_early",
    "a `get` that returns before there is an answer, without a promise",
    (
        "Tornado takes the answer for complete when `get` returns. What tells it to wait?",
        "Return the future from `get`: `return self.done`.",
    ),
)
PROMISE_NOT_KEPT = Mistake(
    "promise_not_kept",
    "a promise that nobody fills",
    (
        "`write` puts words into the answer. What says that the answer is complete?",
        "Fill the future: `self.done.set_result(None)`.",
    ),
)
POLLS = Mistake(
    "polls",
    "code that looks again and again whether something is there",
    (
        "There is nothing to do but to wait, and your code takes turn after turn of the loop. "
        "Who could wake it instead?",
        "`await` the thing itself, a future, a task or an event: it wakes you when it is done.",
    ),
)
FIXED_TIME = Mistake(
    "fixed_time",
    "a pause in the place of an answer",
    (
        "How long does an answer take? Who promises that it is there after your pause?",
        "`await` what brings the answer: that lasts as long as it takes, no more and no less.",
    ),
)
SHORT_DEADLINE = Mistake(
    "short_deadline",
    "a deadline that is over before the answer comes",
    (
        "How long does the answer take here, and how much time does your code give it?",
        "Leave a deadline of your own away, and one that the exercise gave as it was.",
    ),
)
ASKS_TWICE = Mistake(
    "asks_twice",
    "a question that is asked twice",
    (
        "Each call that asks does ask, whether you await what it returns or not. How many of "
        "yours are made for one answer?",
        "Keep what the first call returns in a name, and await that.",
    ),
)
FALSE_FOR_NONE = Mistake(
    "false_for_none",
    "a value that counts as false, taken for none at all",
    (
        '`0`, `""` and `None` count as false for `or`, `if` and `while`. What if one of them '
        "is what was given?",
        "Find out whether something came, and not what it counts as.",
    ),
)
YIELDS = Mistake(
    "yields",
    "a `yield` in an `async def`",
    (
        "A function with a `yield` makes a generator: when it is called, nothing of it is run.",
        "In an `async def`, `await` stands where older code has `yield`.",
    ),
)
ALREADY_CALLED = Mistake(
    "already_called",
    "brackets behind something that has been called already",
    (
        "What have you got there: a function, or what a call of it has returned?",
        "A coroutine, a future and a task are awaited without brackets: `await thing`.",
    ),
)
AWAITED_TWICE = Mistake(
    "awaited_twice",
    "a coroutine that is awaited twice",
    (
        "A coroutine runs once. Who has awaited this one already?",
        "Keep what the first `await` gave. Or make a task of the coroutine: that can be "
        "awaited by many.",
    ),
)
FOR_COROUTINES = Mistake(
    "waits_for_coroutines",
    "coroutines given to `asyncio.wait`",
    (
        "`asyncio.wait` waits for what runs already. Who has started these coroutines?",
        "`asyncio.gather(*coroutines)` starts them and waits. For `asyncio.wait`, make a task "
        "of each first: `asyncio.create_task(ask(url))`.",
    ),
)
POINT_IN_TIME = Mistake(
    "point_in_time",
    "a duration taken for a point in time",
    (
        "What does the clock of the loop show now? It did not begin with your code.",
        "`asyncio.timeout(seconds)` counts from now on; `timeout_at` and `call_at` want a time "
        "on the loop's clock, such as `loop.time() + seconds`.",
    ),
)
TASK_LEFT = Mistake(
    "task_left",
    "a task that nobody waits for",
    (
        "`create_task` returns at once. When does your function end, and when does the task?",
        "Keep the task in a name, and `await` it.",
    ),
)
NO_LOOP = Mistake(
    "no_loop",
    "something else where the loop is wanted",
    (
        "`IOLoop` is a class, and `IOLoop.current` a function. Which of them is the loop that "
        "runs now?",
        "`IOLoop.current()`, with brackets, gives the loop. Say that in front of the dot.",
    ),
)
NO_PROMISE_RETURNED = Mistake(
    "no_promise_returned",
    "a `get` that returns something else than a promise",
    (
        "Tornado waits for what `get` returns. What does yours return?",
        "Return a future that is filled later; or nothing, if the answer is written already.",
    ),
)
NOT_YOURS = Mistake(
    "not_yours",
    "a box that is filled by somebody who did not promise it",
    (
        "Your code was given a future for which it is to wait. Who has promised to fill it?",
        "Neither fill nor cancel what you were given: make a future of your own for that.",
    ),
)
LEFT_WAITING = Mistake(
    "left_waiting",
    "a promise that stays empty although the answer is sent",
    (
        "The visitor has an answer. For what does Tornado wait all the same, in each request?",
        "Fill the promise too, with `self.done.set_result(None)`, or each request leaves one "
        "behind for ever.",
    ),
)
SWAPPED = Mistake(
    "swapped",
    "two arguments, each in the place of the other",
    (
        "What does that call want first, and what do you give it first?",
        "It is `call_later(seconds, function)` and `add_future(future, function)`: first for "
        "what to wait, then whom to call. And it is `wait_for(awaitable, seconds)`.",
    ),
)
ALWAYS_TRUE = Mistake(
    "always_true",
    "a box, or a method, that is looked at and not asked",
    (
        "For `if` a box counts as true, be it full or empty, and so does a method that is not "
        "called. What do you want to know?",
        "It is the brackets that ask: `self.done.done()`, `task.done()`, `lock.locked()`.",
    ),
)
NO_ALARM_GIVEN = Mistake(
    "no_alarm_given",
    "something else than the alarm that is to be taken back",
    (
        "One function may be on the clock many times. Which of these alarms do you mean?",
        "`remove_timeout` wants what `call_later` has returned: keep that, in `self`.",
    ),
)
NO_POOL = Mistake(
    "no_pool",
    "a function in the place of the pool",
    (
        "What does `run_in_executor` want first, before the function?",
        "`run_in_executor(None, f, ...)`: `None` stands for a pool that the loop has already.",
    ),
)
THREADS_FUTURE = Mistake(
    "threads_future",
    "a future of threads, which cannot be awaited",
    (
        "There are two kinds of futures, one for a loop and one for threads. Which one does "
        "your pool give?",
        "`await asyncio.to_thread(f, ...)`, or `await IOLoop.current().run_in_executor(pool, "
        "f, ...)`: they give the kind that can be awaited.",
    ),
)
OTHER_THREAD = Mistake(
    "other_thread",
    "something of the loop's that is used on another thread",
    (
        "The loop, its clients and its handlers live on one thread. On which one is that line "
        "run?",
        "Let a thread do what blocks, and nothing else. `client.fetch(...)`, "
        "`self.write(...)` and `future.set_result(...)` belong to the thread of the loop.",
    ),
)
ANOTHER_CLIENTS_WORDS = Mistake(
    "another_clients_words",
    "words of another client, such as `requests`",
    (
        "Each client has names of its own. How does the notebook ask with Tornado's, and what "
        "does it read from the answer?",
        "`response = await client.fetch(url)`, without `with`; `response.code` is the status, "
        "and `response.body` what came, in bytes, for `json_decode`.",
    ),
)
BRACKETS = Mistake(
    "brackets",
    "a function that is named, and not called",
    (
        "A name alone on a line does nothing. What makes a call of it?",
        "Brackets behind the name, with what belongs in between.",
    ),
)
OUTER_NAME = Mistake(
    "outer_name",
    "a name of the function around it, which is assigned anew",
    (
        "A name that a function assigns is its own, and has no value before that. Whose name "
        "did you mean?",
        "`nonlocal name`, as the first line of the inner function, says that it is the outer "
        "one's. Or keep the number in a list or a dictionary.",
    ),
)
POOL_OVER = Mistake(
    "pool_over",
    "a pool that is closed before it is used",
    (
        "The end of a `with` block closes its pool. When do the visitors come?",
        "Make the pool without a block: `pool = ThreadPoolExecutor(...)`, once.",
    ),
)
BYTES_AS_TEXT = Mistake(
    "bytes_as_text",
    "bytes of which `str` has made a text",
    (
        "What does `str` make of bytes? Look at the first letter of what was read.",
        "`self.write` takes the bytes as they are; `body.decode()` makes a text of them.",
    ),
)
SHARED = Mistake(
    "shared",
    "something of one object, kept where all of them find it",
    (
        "Another object of your class was made, and it knows already what the first one was "
        "told. Where does it stand?",
        "What belongs to one object is made in `__init__`, and kept in `self`.",
    ),
)
CHANGES_THE_LIST = Mistake(
    "changes_the_list",
    "a list of the caller's that is changed",
    (
        "Your caller has that list too. What stands in it when your function is done?",
        "Leave it as it is: go through it with `for`, or take a copy, `list(...)`.",
    ),
)
ROUNDED = Mistake(
    "rounded",
    "a time that was made a whole number",
    (
        "Here it is a part of a second. What becomes of that?",
        "Seconds may be a fraction: give the number as it is.",
    ),
)
KEPT_ANSWER = Mistake(
    "kept_answer",
    "an answer that was kept from an earlier visitor",
    (
        "Whose answer is it that this visitor gets, and how old is it?",
        "What is kept in the class, or in the cell, all visitors share. Ask for each of them.",
    ),
)
HARD_CODED = Mistake(
    "hard_coded",
    "an address of your own, where one was given",
    (
        "Whom does your code ask? The check has a backend of its own, and so has every server.",
        "Use the address that you are given, and write none down.",
    ),
)

# These can be made in any exercise, so the exercise's own hints are added to theirs.
GENERAL = {
    mistake.key
    for mistake in (
        RAISES,
        FORGOTTEN_AWAIT,
        NESTED_LOOP,
        STOPS_THE_LOOP,
        CANCELS_ALL,
        AWAITS_NOTHING,
        PLAIN_WITH,
        OPENED_TWICE,
        ALREADY_CALLED,
        AWAITED_TWICE,
        FOR_COROUTINES,
        NO_LOOP,
        NO_PROMISE_RETURNED,
        NOT_YOURS,
        SWAPPED,
        ALWAYS_TRUE,
        NO_ALARM_GIVEN,
        NO_POOL,
        THREADS_FUTURE,
        OTHER_THREAD,
        ANOTHER_CLIENTS_WORDS,
        BRACKETS,
        OUTER_NAME,
        POOL_OVER,
        BYTES_AS_TEXT,
        SHARED,
        CHANGES_THE_LIST,
        ROUNDED,
        YIELDS,
        AFTER_THE_END,
        EXITS,
        MISSING,
        OTHER_ARGUMENTS,
        REPLACED,
        PATCHED,
        FORKS,
        HOLDS,
        ENDLESS,
        TOO_LONG,
        MEMORY,
    )
}


def _loop_in_a_loop(error: BaseException, _: ast.Module) -> bool:
    place = place_of(error)
    return isinstance(error, RuntimeError) and bool(
        place
        and place.function in ("_check_running", "run")
        and place.module.startswith("asyncio.")
    )


def _coroutine_as_value(error: BaseException, tree: ast.Module) -> bool:
    # The exception's traceback keeps the coroutine alive, so the warning that it was never
    # awaited does not come.
    if isinstance(error, AttributeError):
        return type(error.obj) is CoroutineType
    return isinstance(error, TypeError) and type(operand_of(error, tree)) is CoroutineType


def _called_again(error: BaseException, tree: ast.Module) -> bool:
    return isinstance(error, TypeError) and isawaitable(called_in_vain(error, tree))


def _swapped(error: BaseException, tree: ast.Module) -> bool:
    if not isinstance(error, TypeError | AssertionError | AttributeError):
        return False
    place = place_of(error)
    if place and place.module in ("asyncio.tasks", "asyncio.timeouts"):
        # A deadline that is no number.
        return "not supported between" in str(error)
    own, lines = _functions(tree), lines_of(error)
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr=called), args=[first, *_]) if called in NOTES:
                if not lines & {*range(node.lineno, (node.end_lineno or 0) + 1)}:
                    continue
                if isinstance(first, ast.Lambda) or _named(first) in own:
                    return True
                if isinstance(first, ast.Call) and _named(first.func) == "partial":
                    return True
    return False


def _no_loop(error: BaseException, tree: ast.Module) -> bool:
    if isinstance(error, NameError):
        return error.name in NOTES
    if isinstance(error, AttributeError):
        return getattr(error.obj, "__qualname__", "") == IOLoop.current.__qualname__
    place = place_of(error)
    if not isinstance(error, TypeError) or not place:
        return False
    # A method of the class, called without an object, lacks its last argument.
    on_class = any(
        isinstance(node, ast.Call) and ast.unparse(node.func) in _METHODS
        for node in ast.walk(tree)
    )
    return on_class and place.frame.f_code.co_filename == YOUR_CODE


def _returned_no_promise(error: BaseException, _: ast.Module) -> bool:
    place = place_of(error)
    return bool(
        awaited_in_vain(error)
        and place
        and (place.module, place.function) == ("tornado.web", "_execute")
    )


def _called_otherwise(error: BaseException, tree: ast.Module) -> bool:
    # A function of the learner's, called by a library with what the exercise has said.
    found = re.match(r"\w+: (?:\S+\.)?(\w+)\(\) (?:takes|missing) ", described(error))
    place = place_of(error)
    if not isinstance(error, TypeError) or not found or not place:
        return False
    return found[1] in _functions(tree) and place.frame.f_code.co_filename != YOUR_CODE


def _named(node: ast.expr) -> str:
    return str(getattr(node, "attr", getattr(node, "id", "")))


def _functions(tree: ast.Module) -> set[str]:
    kinds = ast.FunctionDef | ast.AsyncFunctionDef
    return {node.name for node in ast.walk(tree) if isinstance(node, kinds)}


def _yields(error: BaseException, _: ast.Module) -> bool:
    # Where it is given to `await`, `gather` or `multi`, the message has its name.
    return isinstance(error, TypeError | BadYieldError) and "async_generator" in described(
        error
    )


def _no_alarm_given(error: BaseException, _: ast.Module) -> bool:
    place = place_of(error)
    return bool(
        isinstance(error, AttributeError) and place and place.function == "remove_timeout"
    )


def _no_pool(error: BaseException, _: ast.Module) -> bool:
    place = place_of(error)
    return isinstance(error, AttributeError) and bool(
        place and place.function == "run_in_executor" and error.name == "submit"
    )


def _threads_future(error: BaseException, _: ast.Module) -> bool:
    if not isinstance(error, TypeError):
        return False
    # Those of asyncio can be awaited, so there the message is about the others.
    kinds = ("Future", "ApplyResult", "AsyncResult")
    in_vain = awaited_in_vain(error) or "needs an awaitable" in str(error)
    return in_vain and any(kind in str(error) for kind in kinds)


def _other_thread(error: BaseException, _: ast.Module) -> bool:
    return _has_no_loop(error) and "'MainThread'" not in str(error)


def _made_too_early(error: BaseException, _: ast.Module) -> bool:
    # From Python 3.14 on; before, a loop was made for it that nobody has.
    return _has_no_loop(error) and "'MainThread'" in str(error)


def _has_no_loop(error: BaseException) -> bool:
    return isinstance(error, RuntimeError) and "no current event loop in thread" in str(error)


def _pool_over(error: BaseException, _: ast.Module) -> bool:
    place = place_of(error)
    return isinstance(error, RuntimeError) and bool(
        place and place.function == "submit" and "shutdown" in str(error)
    )


def _another_clients_words(error: BaseException, _: ast.Module) -> bool:
    if isinstance(error, AttributeError):
        if isinstance(error.obj, AsyncHTTPClient):
            return error.name in ("get", "post", "request", "aclose")
        names = ("text", "json", "content", "status_code", "status", "ok", "raise_for_status")
        return isinstance(error.obj, HTTPResponse) and error.name in names
    words = ("HTTPClient' object", "context manager protocol")
    return isinstance(error, TypeError) and all(each in str(error) for each in words)


def _opened_twice(error: BaseException, _: ast.Module) -> bool:
    return (
        isinstance(error, AttributeError)
        and error.name == "result"
        and type(error.obj) is HTTPResponse
    )


def _after_the_end(error: BaseException, _: ast.Module) -> bool:
    place = place_of(error)
    if not isinstance(error, RuntimeError) or not place or place.module != "tornado.web":
        return False
    return bool(getattr(place.frame.f_locals.get("self"), "_finished", False))


# What leaves a note with the loop, and takes the function as its second argument.
NOTES = ("call_later", "call_at", "add_timeout", "add_future")
_METHODS = tuple(f"IOLoop.{name}" for name in (*NOTES, "add_callback"))

# What an exception shows: its type, the values it has, where it was raised, what failed there.
SIGNS: tuple[tuple[Callable[[BaseException, ast.Module], bool], Mistake], ...] = (
    (lambda error, _: isinstance(error, MemoryError), MEMORY),
    (lambda error, _: isinstance(error, SystemExit | KeyboardInterrupt), EXITS),
    (_loop_in_a_loop, NESTED_LOOP),
    (_called_again, ALREADY_CALLED),
    (_yields, YIELDS),
    (_no_loop, NO_LOOP),
    (_swapped, SWAPPED),
    (_no_alarm_given, NO_ALARM_GIVEN),
    (_no_pool, NO_POOL),
    (_threads_future, THREADS_FUTURE),
    (_other_thread, OTHER_THREAD),
    (_made_too_early, SHARED),
    (_another_clients_words, ANOTHER_CLIENTS_WORDS),
    (lambda error, _: isinstance(error, UnboundLocalError), OUTER_NAME),
    (_pool_over, POOL_OVER),
    (_returned_no_promise, NO_PROMISE_RETURNED),
    (_called_otherwise, OTHER_ARGUMENTS),
    (_coroutine_as_value, FORGOTTEN_AWAIT),
    (lambda error, _: entered_in_vain(error), PLAIN_WITH),
    (lambda error, _: awaited_in_vain(error), AWAITS_NOTHING),
    (_opened_twice, OPENED_TWICE),
    (_after_the_end, AFTER_THE_END),
)

# Parts of messages, for what shows nothing: an exception that was caught and raised again as
# another, and a coroutine which no name stands for.
WORDS = {
    "already awaited coroutine": AWAITED_TWICE,
    "is being awaited already": AWAITED_TWICE,
    "Passing coroutines is forbidden": FOR_COROUTINES,
    "asyncio.run() cannot be called": NESTED_LOOP,
    "already running": NESTED_LOOP,
    "Event loop stopped before": STOPS_THE_LOOP,
    "'coroutine' object is not callable": ALREADY_CALLED,
    "Future' object is not callable": ALREADY_CALLED,
    "Task' object is not callable": ALREADY_CALLED,
    "async_generator": YIELDS,
    "'coroutine' object": FORGOTTEN_AWAIT,
    "Object of type coroutine is not JSON": FORGOTTEN_AWAIT,
    "does not support the context manager protocol": PLAIN_WITH,
    "can't be used in 'await' expression": AWAITS_NOTHING,
    "object can't be awaited": AWAITS_NOTHING,  # since Python 3.14
    "wait() needs an awaitable": AWAITS_NOTHING,
    "'HTTPResponse' object has no attribute 'result'": OPENED_TWICE,
    "after finish()": AFTER_THE_END,
    "finish() called twice": AFTER_THE_END,
}


def mistake_of(error: BaseException, text: str, tree: ast.Module) -> Mistake:
    """Return the mistake that an exception is known to come from.

    Args:
        error: it, with its traceback.
        text: as `rendering.described` has it.
        tree: the learner's cell.
    """
    for shows, mistake in SIGNS:
        if shows(error, tree):
            return mistake
    known = (mistake for words, mistake in WORDS.items() if words in text)
    return next(known, RAISES)
