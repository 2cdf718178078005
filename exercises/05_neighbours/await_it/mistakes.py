"""How people wait for what is not a coroutine, and get it wrong."""

from classroom.examining.verdict import Mistake

FROM_A_THREAD = Mistake(
    "from_a_thread",
    "a future, or an event, that is set from another thread",
    (
        "On which thread does the library call you, and on which does the loop sleep? Who "
        "wakes it?",
        "One door leads from a thread to the loop: `loop.call_soon_threadsafe(function, ...)`. "
        "Let that fill what you wait for.",
    ),
)
LOOP_IN_A_THREAD = Mistake(
    "loop_in_a_thread",
    "a loop that is looked for on a thread that has none",
    (
        "Your callback asks for the loop that runs. Which runs on the thread of the library?",
        "Ask before that, in the coroutine: `loop = asyncio.get_running_loop()`. The callback "
        "uses that name.",
    ),
)
FILLED_TWICE = Mistake(
    "filled_twice",
    "a box that is filled twice",
    (
        "The library calls back a second time. What does a future do that is full already?",
        "It raises an `InvalidStateError`, and a queue of one place a `QueueFull`. Look first, "
        "on the thread of the loop: `if not future.done():`",
    ),
)
AFTER_THE_CANCEL = Mistake(
    "after_the_cancel",
    "an answer that comes when nobody waits any more",
    (
        "Somebody was cancelled while they waited. What became of their future? And then the "
        "library calls back all the same.",
        "A cancelled future cannot be filled either. `future.done()` is true for it, too: fill "
        "it only if that is not so.",
    ),
)
FOR_NOBODY = Mistake(
    "for_nobody",
    "an exception that is kept for nobody",
    (
        "Whoever waited was cancelled, and the library fails after that. Who takes the "
        "exception out of your future?",
        "`await future` cancels the future with whoever waits; `asyncio.wait` and `shield` do "
        "not. Say `future.cancel()` beside `call.cancel()`, and fill it only if it is not "
        "`done()`.",
    ),
)
SECOND_COUNTS = Mistake(
    "second_counts",
    "the second answer in the place of the first",
    (
        "The library calls back twice, before whoever waits has had a turn. Which of the two "
        "does your code return?",
        "The first counts. Take no other when there is one already.",
    ),
)
NOT_AT_ONCE = Mistake(
    "not_at_once",
    "an answer that comes before you are ready",
    (
        "The library may call back before `add_callbacks` returns. What is there by then of "
        "what your callbacks use?",
        "Make the future, and whatever else your callbacks need, before you hand them over.",
    ),
)
NEVER_CANCELS = Mistake(
    "never_cancels",
    "a call that goes on for nobody",
    (
        "Whoever waits is cancelled: at which line of yours is that raised, and as what?",
        "At the `await`, as an `asyncio.CancelledError`, which is no `Exception`. Catch it "
        "there, say `call.cancel()`, and `raise` it again.",
    ),
)
SWALLOWED = Mistake(
    "swallowed",
    "a cancellation that ends in your code",
    (
        "Whoever cancels a task wants it to end. What does yours do when it has cancelled the "
        "call?",
        "Say `raise` at the end of the `except`: the cancellation goes on to whoever waits for "
        "you.",
    ),
)
CANCELS_ANSWERED = Mistake(
    "cancels_answered",
    "a `cancel` for a call that is over",
    (
        "The call has answered, or failed, and then your code cancels it. When alone is that "
        "to be done?",
        "`finally` and `except BaseException` are there for every end. "
        "`except asyncio.CancelledError` is there for the one in which nobody waits any more.",
    ),
)
ERROR_RETURNED = Mistake(
    "error_returned",
    "an exception that is returned",
    (
        "What does somebody get who waits for a call that fails? How would they know?",
        "`future.set_exception(error)` has the `await` raise it.",
    ),
)
RAISED_IN_THE_CALLBACK = Mistake(
    "raised_in_the_callback",
    "an exception that is raised at the wrong place",
    (
        "Who has called your `on_error`, and gets what it raises?",
        "The library does. Put the exception where the coroutine waits: "
        "`future.set_exception(error)`.",
    ),
)
ERROR_LOST = Mistake(
    "error_lost",
    "a call that fails, and nobody hears it",
    (
        "The library calls `on_error`. What does your coroutine learn of that?",
        "Fill the future in both cases, here with `set_exception(error)`.",
    ),
)
VALUE_LOST = Mistake(
    "value_lost",
    "an answer that is not returned",
    (
        "The answer is there, and your coroutine ends. What does it return?",
        "`return await future`, or `return` what you have kept.",
    ),
)
PROMISE_RETURNED = Mistake(
    "promise_returned",
    "a promise in the place of the answer",
    (
        "What does your coroutine return: what came, or the box for it?",
        "`return await future`. And a future of `concurrent.futures` is awaited as "
        "`asyncio.wrap_future(future)`.",
    ),
)
SHARED = Mistake(
    "shared",
    "one place for the answers of all calls",
    (
        "Two calls are waited for, and the second answers first. Whose answer is in your box?",
        "Make what you keep inside of `wait_for`: each call has a box of its own.",
    ),
)
ONE_AT_A_TIME = Mistake(
    "one_at_a_time",
    "one call at a time",
    (
        "Two wait, each for a call of their own. What keeps the second from its answer?",
        "Let the calls share nothing: no lock, and no thread.",
    ),
)
THREAD_LEFT = Mistake(
    "thread_left",
    "a thread that waits for ever",
    (
        "Whoever waits was cancelled. Who tells the thread that waits in their place?",
        "Nothing ends a thread from outside. Do without: a future and "
        "`loop.call_soon_threadsafe` need none.",
    ),
)
TASK_LEFT = Mistake(
    "task_left",
    "a task that waits for ever",
    (
        "The library calls back twice, and nobody waits any more. What becomes of the "
        "coroutine that your callback has started?",
        "Let `loop.call_soon_threadsafe` call a plain function, which never waits: "
        "`queue.put_nowait` of a queue without a bound, or what fills a future if it is not "
        "`done()`.",
    ),
)
