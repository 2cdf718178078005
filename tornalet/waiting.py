"""Greenlets and the event loop: plain code that waits without holding the thread.

A greenlet is a function with a stack of its own, which can be left in the middle and entered
again. `run` starts plain code in one. When that code calls `wait`, the greenlet hands the
awaitable to the coroutine that started it and is left; the coroutine awaits, as coroutines do,
and then enters it again with the result. The loop sees one coroutine and nothing else.
"""

from __future__ import annotations

import asyncio
import inspect
import reprlib
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

import greenlet

P = ParamSpec("P")
T = TypeVar("T")


class _Plain(greenlet.greenlet):  # type: ignore[misc]
    """A greenlet that `run` has started; the class tells it from those of others."""

    # The task whose coroutine awaits on behalf of the plain code.
    task: asyncio.Task[Any] | None = None
    # The greenlet of others in which the code waits that stands in this one; None is this one.
    waiting: greenlet.greenlet | None = None


def can_wait() -> bool:
    """Return whether the calling code runs in a greenlet that `run` started.

    Or in one that such code has made, with whatever library: it is left together with the one
    that `run` started, and entered again.
    """
    return _plain() is not None


def _plain() -> _Plain | None:
    """Return the greenlet of `run` that the calling code is in, if somebody awaits for it."""
    plain = greenlet.getcurrent()
    while not isinstance(plain, _Plain):
        plain = plain.parent
        if plain is None:
            return None
    loop = asyncio._get_running_loop()
    if loop is None or plain.dead:
        # A greenlet may outlive the code that has made it. A forked process has a copy of it,
        # and no loop underneath.
        return None
    # Plain code may run a loop inside of a loop, and what runs there is in another task.
    return plain if plain.task is asyncio.current_task(loop) else None


def wait(awaitable: Awaitable[T]) -> T:
    """Wait for an awaitable, from plain code.

    Args:
        awaitable: a coroutine, a future, whatever could stand after `await`.

    Returns:
        Its result.

    Raises:
        TypeError: it is nothing that could stand after `await`.
        RuntimeError: nobody is there to await it, since no `@tornalet` or `run` is underneath.
        BaseException: whatever the awaitable raised; `CancelledError` if the request or task
            around the plain code was cancelled.
    """
    if not (asyncio.isfuture(awaitable) or inspect.isawaitable(awaitable)):
        raise TypeError(
            f"wait() needs an awaitable, such as a coroutine: not {shown(awaitable)}"
        )
    plain = _plain()
    if plain is None:
        if isinstance(awaitable, Coroutine):
            # Otherwise Python warns, later and elsewhere, that it was never awaited.
            awaitable.close()
        raise RuntimeError(
            "wait() needs plain code that @tornalet or tornalet.run() started: "
            "here nobody could await for it"
        )
    here = greenlet.getcurrent()
    # A reference to itself would keep it alive when its coroutine is dropped.
    plain.waiting = None if here is plain else here
    result: T = plain.parent.switch(awaitable)
    return result


async def run(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Run plain code in a greenlet, so that it may call `wait`.

    Cancel it before its loop is closed: nobody else can, and the garbage collector does not
    look into a greenlet that stands in the middle.

    Args:
        function: the plain code.
        *args: what to call it with.
        **kwargs: what to call it with.

    Returns:
        What it returned.

    Raises:
        TypeError: the function cannot be called, or is a coroutine function.
        BaseException: whatever it raised.
    """
    if not callable(function):
        raise TypeError(f"run() needs a function and its arguments: not {shown(function)}")
    if is_for_itself(function):
        raise TypeError(f"run() is for plain code: await {shown(function)} without it")
    here = greenlet.getcurrent()
    plain = _Plain(_whole, here)
    # The same context, not a copy: what the plain code sets, its caller sees, as with await.
    plain.gr_context = here.gr_context
    plain.task = _task()
    given = plain.switch(function, *args, **kwargs)
    while not plain.dead:
        try:
            result = await given
        except GeneratorExit as error:
            _end(plain, error)
            raise
        except BaseException as error:
            # Also a cancellation: the plain code's own except and finally shall see it.
            waiting = _come_back(plain)
            given = waiting.throw(type(error), error, error.__traceback__)
        else:
            waiting = _come_back(plain)
            given = waiting.switch(result)
    returned: T = given
    return returned


def is_for_itself(function: Callable[..., object]) -> bool:
    """Return whether a function can await for itself: by `async def`, or `gen.coroutine`."""
    return inspect.iscoroutinefunction(function) or bool(
        getattr(function, "__tornado_coroutine__", False)
    )


def shown(given: object) -> str:
    """Return a value as a message can show it, however long it is."""
    return _SHORT.repr(given)


_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 80


def _whole(function: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:
    try:
        return function(*args, **kwargs)
    except greenlet.GreenletExit as error:
        # Otherwise greenlet makes it the result, and nothing is raised.
        raise RuntimeError("plain code raised GreenletExit") from error


def _come_back(plain: _Plain) -> greenlet.greenlet:
    """Return the greenlet to go on in, which from now on comes back here."""
    # A coroutine may be resumed from another greenlet, or in another task, than before.
    plain.parent = greenlet.getcurrent()
    plain.task = _task()
    waiting = plain.waiting or plain
    plain.waiting = None
    return waiting


def _task() -> asyncio.Task[Any] | None:
    # A coroutine can be driven with `send`, where no loop runs.
    loop = asyncio._get_running_loop()
    return asyncio.current_task(loop) if loop else None


def _end(plain: _Plain, error: BaseException) -> None:
    """End plain code whose coroutine was closed; from now on it can wait for nothing."""
    given = _come_back(plain).throw(error)
    # Code that catches this again and again is left where it stands.
    for _ in range(100):
        if plain.dead:
            break
        if isinstance(given, Coroutine):
            given.close()
        given = _come_back(plain).throw(
            RuntimeError("wait() in code that nobody awaits any more")
        )
