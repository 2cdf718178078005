"""`@tornalet`: a handler's plain method waits without holding the thread."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, overload

from .waiting import is_for_itself, run, shown

if TYPE_CHECKING:
    from tornado.web import RequestHandler

P = ParamSpec("P")
T = TypeVar("T")


@overload
def tornalet(method: Callable[P, T], /) -> Callable[P, Coroutine[Any, Any, T]]: ...
@overload
def tornalet(
    *, cancel_when_gone: bool
) -> Callable[[Callable[P, T]], Callable[P, Coroutine[Any, Any, T | None]]]: ...
def tornalet(
    method: Callable[..., Any] | None = None, /, *, cancel_when_gone: bool = False
) -> Any:
    """Let a handler's plain method call `wait`, or a library that does.

    The method becomes a coroutine function: Tornado awaits it like any other. What the method
    returns is awaited, if it can be, as Tornado does for other methods.

    Args:
        method: the method of a `RequestHandler`.
        cancel_when_gone: whether it shall end when the client hangs up. It then gets a
            `CancelledError` where it waits; without this it goes on, and its answer is lost.

    Raises:
        TypeError: it is no method; or it can await for itself; or it is a generator function.
    """
    if method is None:
        return functools.partial(tornalet, cancel_when_gone=cancel_when_gone)
    _refuse_what_is_not_plain(method)
    plain: Callable[..., Any] = method

    @functools.wraps(plain)
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        return await _opened(await run(plain, *args, **kwargs))

    @functools.wraps(plain)
    async def wrapper_until_gone(handler: RequestHandler, /, *args: Any, **kwargs: Any) -> Any:
        return await _until_gone(handler, lambda: wrapper(handler, *args, **kwargs))

    return wrapper_until_gone if cancel_when_gone else wrapper


def _refuse_what_is_not_plain(method: Callable[..., Any]) -> None:
    if not callable(method):
        raise TypeError(f"@tornalet is for methods, and {shown(method)} is none")
    if inspect.isgeneratorfunction(method) or inspect.isasyncgenfunction(method):
        raise TypeError(
            "@tornalet is for plain methods: say wait(...) where this one says yield, "
            "or take gen.coroutine in the place of @tornalet"
        )
    if is_for_itself(method):
        what = "async" if inspect.iscoroutinefunction(method) else "gen.coroutine"
        raise TypeError(
            f"@tornalet is for plain methods: take away the {what}, or the decorator"
        )


async def _opened(returned: Any) -> Any:
    """Return what a method has returned, or what is in that if it has to be awaited."""
    if returned is None:
        return None
    if inspect.isawaitable(returned):
        return await returned
    if inspect.isgenerator(returned) or inspect.isasyncgen(returned):
        raise TypeError(f"@tornalet: nobody reads what the method returned, {shown(returned)}")
    return returned


def _is_closed(connection: Any) -> bool:
    stream = getattr(connection, "stream", None)
    return stream is not None and stream.closed()


async def _until_gone(
    handler: RequestHandler, work: Callable[[], Coroutine[Any, Any, T]]
) -> T | None:
    task = asyncio.current_task()
    assert task
    connection: Any = handler.request.connection
    if _is_closed(connection):
        # The client has gone already, and a callback that is set now would not be called.
        return None
    gone = False

    def on_connection_close() -> None:
        nonlocal gone
        gone = True
        task.cancel()
        handler.on_connection_close()

    connection.set_close_callback(on_connection_close)
    try:
        result = await work()
    except asyncio.CancelledError:
        if not gone or task.uncancel():
            # Somebody else has cancelled the task too, and expects it to end.
            raise
        return None
    else:
        if gone:
            # The plain code has caught the CancelledError and gone on: it is not cancelled.
            task.uncancel()
        return result
    finally:
        if not handler._finished:
            connection.set_close_callback(handler.on_connection_close)
