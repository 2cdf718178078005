"""Run an application as a program: `sys.exit(main(make_app))`, until Ctrl-C or SIGTERM.

How an application is stopped, and how long that may take, is in `loopfilm.serving`; what a
client is told whose request could not be finished is in `task`.
"""

from __future__ import annotations

import asyncio
import inspect
import re
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from typing import Any

from tornado.log import define_logging_options
from tornado.options import Error, OptionParser
from tornado.web import Application, RequestHandler

from loopfilm import LOCALHOST, CannotListen, handlers_at_work, running, running_apart
from loopfilm.ending import wait_for_the_end

from .sentences import StoppedHandler, refuse
from .taken import way_out

# Turns of the loop in which what a client has sent is read, and refused.
TURNS_TO_REFUSE = 20

LEVELS = ("debug", "info", "warning", "error", "none")
YES_OR_NO = ("", "true", "t", "1", "false", "f", "0")

# A word that begins like this is no value, but -1 is one.
OPTION = re.compile(r"-(?!\.?[0-9])")

# What the keywords that many have mean on the command line, unless a docstring says it.
HELP = {
    "backend": "address of the backend that answers the questions",
    "delay": "wait this many seconds before doing anything",
    "deadline": "give the backend this many seconds for everything",
}


async def _serve_until_signal(app: Application, port: int, address: str) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()

    # Plain signal handlers, since asyncio's own do not exist on Windows.
    def ask_to_stop(*_: object) -> None:
        loop.call_soon_threadsafe(stop.set)
        # A second Ctrl-C has its ordinary effect again, for a handler that refuses to end.
        restore_signals()
        # Requests that have arrived are told so, and begin nothing.
        app.default_router.rules.clear()
        app.settings.update(default_handler_class=StoppedHandler, default_handler_args={})
        at_work = _end_handlers(app, loop)
        # And before it begins, the one that is perhaps about to be made in this moment.
        loop.call_soon_threadsafe(_end_handlers, app, loop)
        # A handler that blocks keeps the loop from noticing `stop`, so it is interrupted here.
        holder = asyncio.current_task(loop)
        handler = at_work.get(holder) if holder else None
        if handler and _has_begun(handler) and not handler._headers_written:
            raise asyncio.CancelledError

    def restore_signals() -> None:
        for signum, handler in before.items():
            signal.signal(signum, handler)

    before = {s: signal.signal(s, ask_to_stop) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        async with running(app, port=port, address=address) as url:
            print(f"listening on {url} (Ctrl-C stops)", flush=True)
            await stop.wait()
            for _ in range(TURNS_TO_REFUSE):
                await asyncio.sleep(0)
            await _answer(app, loop)
        print("stopped", flush=True)
    finally:
        restore_signals()


def _end_handlers(
    app: Application, loop: asyncio.AbstractEventLoop
) -> dict[asyncio.Task[Any], RequestHandler]:
    at_work = handlers_at_work(app, loop)
    for task, handler in at_work.items():
        if not _has_begun(handler):
            # Cancelled now, it would answer nothing.
            handler.prepare = refuse  # type: ignore[method-assign]
        elif not task.cancelling():
            task.cancel()
    return at_work


async def _answer(app: Application, loop: asyncio.AbstractEventLoop) -> None:
    """Wait until those are answered who can be, as long as one after another is."""
    waiting = [
        task
        for task, handler in handlers_at_work(app, loop).items()
        if task.cancelling() and not handler._headers_written
    ]
    left = len(waiting) + 1
    while len(waiting) < left:
        left = len(waiting)
        await wait_for_the_end(waiting[:1])
        waiting = [task for task in waiting if not task.done()]


def _has_begun(handler: RequestHandler) -> bool:
    """Say whether Tornado is where it answers a handler that is cancelled."""
    # It sets this there, the last thing before `prepare`.
    return hasattr(handler, "path_kwargs")


def main(
    make_app: Callable[..., Application],
    argv: list[str] | None = None,
    *,
    backend: Application | None = None,
) -> int:
    """Run an application as a program, until Ctrl-C or SIGTERM.

    `--port` and `--address` say where to listen. Each parameter of `make_app` is an option too:
    `delay: float = 0.0` becomes `--delay=0.5`, or `--delay 0.5`, with what the docstring says
    of it.

    Args:
        make_app: makes the application.
        argv: the command line; that of the process if it is left out.
        backend: what is started on another thread if `make_app` has a parameter `backend`, and
            the command line gives it no address.

    Returns:
        The exit status: 0 when it was stopped, 1 when it could not listen, 2 when the command
        line was not understood, 130 when Ctrl-C came while the application was made, or once
        more while it was stopped.
    """
    argv = sys.argv if argv is None else argv
    options = OptionParser()
    define_logging_options(options)
    options.define("port", 8888, int, "listen here; 0 lets the system pick")
    options.define("address", LOCALHOST, str, "listen on this address of the machine")
    parameters = inspect.signature(make_app).parameters.values()
    meanings = {**HELP, **_described(make_app)}
    for p in parameters:
        default = "" if p.default is p.empty else p.default
        meaning = meanings.get(p.name, "")
        if backend and p.name == "backend":
            meaning += "; empty starts one"
        options.define(p.name, default, type(default), meaning)
    # A second Ctrl-C may come at any time.
    with suppress(KeyboardInterrupt), ExitStack() as stack:
        try:
            _parse(options, argv)
            settings = {p.name: options[p.name] for p in parameters}
            if backend and settings.get("backend") == "":
                settings["backend"] = stack.enter_context(running_apart(backend))
            app = make_app(**settings)
        except (Error, ValueError) as error:
            print(f"{error} (--help lists the options)", file=sys.stderr)
            return 2
        try:
            asyncio.run(_serve_until_signal(app, options.port, options.address))
        except CannotListen as error:
            # A server may listen at more than one.
            ports = [
                (name, options[name])
                for name in ("port", *settings)
                if str(error.filename).endswith(f", port {options[name]}")
            ]
            hint = "".join(way_out(error, port, f"--{name}") for name, port in ports[:1])
            print(f"{error}{hint}", file=sys.stderr)
            return 1
        return 0
    return 130


def _described(make_app: Callable[..., Application]) -> dict[str, str]:
    """Return what the docstring of a function says of each of its parameters."""
    _, _, told = (inspect.getdoc(make_app) or "").partition("\nArgs:\n")
    entries = re.findall(r"^    (\w+): (.+(?:\n {8}.+)*)", told, re.MULTILINE)
    return {name: " ".join(text.split()).rstrip(".") for name, text in entries}


def _with_values(words: list[str]) -> Iterator[str]:
    """Yield `--port 8889` as `--port=8889`, the only spelling that Tornado's parser knows.

    Nothing but an option is taken here, so a word behind an option is its value.
    """
    rest = deque(words)
    while rest:
        word = rest.popleft()
        if word.startswith("-") and "=" not in word and rest and not OPTION.match(rest[0]):
            word += f"={rest.popleft()}"
        yield word


def _parse(options: OptionParser, argv: list[str]) -> None:
    # Word by word: Tornado's parser answers an unknown option with all of the help, and does
    # not say which option has a value that it cannot read.
    for word in _with_values(argv[1:]):
        name, _, value = word.lstrip("-").partition("=")
        if not word.startswith("-") or name not in options:
            raise Error(f"{word} is not an option")
        # Tornado takes whatever it does not know for a yes. The one it has no default for is
        # one of these, too.
        is_yes_or_no = isinstance(options[name], bool) or (
            name.replace("_", "-") == "log-to-stderr"
        )
        if is_yes_or_no and value.lower() not in YES_OR_NO:
            raise Error(f"{word} is not a value of that option: it is true or false")
        try:
            options.parse_command_line([argv[0], word], final=False)
        except ValueError:
            raise Error(f"{word} is not a value of that option") from None
    if not options.address:
        raise Error("address must not be empty: that would be every address of the machine")
    if not 0 <= options.port <= 65535:
        raise Error(f"port must be from 0 to 65535, not {options.port}")
    if options.logging.lower() not in LEVELS:
        raise Error(
            f"the log has no level {options.logging!r}: it is one of {', '.join(LEVELS)}"
        )
    try:
        options.run_parse_callbacks()
    except (AttributeError, ValueError, OSError) as error:
        raise Error(f"the log cannot be set up like that: {error}") from error
