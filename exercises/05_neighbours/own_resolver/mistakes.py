"""How people get a resolver of their own wrong."""

from classroom.examining.verdict import Mistake

INITIALIZE = Mistake(
    "own_init",
    "an `__init__` where Tornado calls `initialize`",
    (
        "Which method of a resolver does Tornado call with the arguments?",
        "Make what you need in `initialize`, behind `self.ask = ask`.",
    ),
)
NOT_SHARED = Mistake(
    "not_shared",
    "a question that is asked once more while it is under way",
    (
        "Three come for the same name before the first answer is there. What does the second "
        "find that says so?",
        "Note that a name is being asked for before you wait, not when the answer has come.",
        "A dictionary from the name to a task: who finds one there waits for it, and who finds "
        "none puts one in.",
    ),
)
IN_VAIN = Mistake(
    "in_vain",
    "a question that is asked although its answer is there",
    (
        "The answer is given at once, and `ask` is called nevertheless. Which line calls it?",
        "Python computes all arguments before it calls: what `setdefault` is given is made "
        "each time. Look first, with `if` and `not in`.",
    ),
)
IN_TURN = Mistake(
    "in_turn",
    "those who waited ask one after another",
    (
        "The first has its answer, which is good for 0 seconds, or an error. What do those do "
        "who have waited beside it?",
        "A lock lets them in one by one, and each asks anew. Have them wait for what the first "
        "one gets: a task or a future gives it to all.",
    ),
)
ONE_AT_A_TIME = Mistake(
    "one_at_a_time",
    "a name that waits for another name",
    (
        "One name is slow. What has another name to wait for?",
        "What you wait for, be it a lock or a task, has to be one for each name.",
    ),
)
ONE_FOR_ALL = Mistake(
    "one_for_all",
    "an answer to another question",
    (
        "Two names, and one answer for both. Under what do you keep it?",
        "Keep each answer under its name, in a dictionary.",
    ),
)
SHARED_BY_ALL = Mistake(
    "shared_by_all",
    "something kept for all resolvers together",
    (
        "There may be two resolvers, which ask different servers. Whose is your dictionary?",
        "What stands in the class is one for all. Make it in `initialize`, at `self`.",
    ),
)
PORT = Mistake(
    "port",
    "a port that is kept with the address",
    (
        "The same name is looked up for another port. What does the second get?",
        "Keep the addresses alone, and make the pairs in `resolve`, with its `port`.",
    ),
)
OTHER_FORM = Mistake(
    "other_form",
    "a result of another form",
    (
        "What does Tornado's client get from `resolve`?",
        "A list with a pair for each address: `(socket.AF_INET, (address, port))`. What `ask` "
        "gives is the addresses, and the seconds.",
    ),
)
OTHER_THREAD = Mistake(
    "other_thread",
    "a coroutine that is run in another thread",
    (
        "Whose are the connections that `ask` uses, and on which loop?",
        "A coroutine blocks nobody, so it needs no thread: `await self.ask(host)`, on the loop "
        "that is there.",
    ),
)
NOT_KEPT = Mistake(
    "not_kept",
    "an answer that is forgotten",
    (
        "The answer is still good. Why is it asked for again?",
        "Keep it, with the time until which it is good: `loop.time() + seconds`, reckoned when "
        "it has come. Its seconds do not begin with the question.",
    ),
)
OLD_TIMER = Mistake(
    "old_timer",
    "a timer that takes out a later answer",
    (
        "Each visitor sets a timer. Whose answer does the second timer take out?",
        "One timer for each answer: set it where the question is asked, and not in `resolve`, "
        "behind the `await` of all who wait.",
    ),
)
FOREVER = Mistake(
    "forever",
    "an answer that is kept for ever",
    (
        "The address of the name has changed. When does your resolver hear of it?",
        "Compare `asyncio.get_running_loop().time()` with the time until which the answer is "
        "good; or take it out with `call_later(seconds, ...)`. Does a visitor make it good for "
        "longer?",
    ),
)
OTHER_CLOCK = Mistake(
    "other_clock",
    "another clock than that of the loop",
    (
        "By whose clock do you measure? The check puts forward the one of the loop.",
        "`asyncio.get_running_loop().time()` is it. That of the module `time`, and of "
        "Tornado's `IOLoop.time`, are others.",
    ),
)
KEPT_AT_ZERO = Mistake(
    "kept_at_zero",
    "an answer that is kept although it is good for 0 seconds",
    (
        "How long do you keep an answer that is good for 0 seconds?",
        "0 counts as false: `seconds or 60` is 60. And where you compare times, an answer is "
        "good while the time is less than its end, not equal.",
    ),
)
ERROR_KEPT = Mistake(
    "error_kept",
    "an error that is kept",
    (
        "The question has failed, and the name is looked up again. Whom do you ask?",
        "Take the question away when it has failed: `except`, or `finally`, and `del` or "
        "`pop`.",
    ),
)
ERROR_LOST = Mistake(
    "error_lost",
    "an error that becomes something else",
    (
        "`ask` has raised an `OSError`. What does Tornado's client expect then?",
        "Let that very error go through to everybody who waits. An empty list is no answer, "
        "and another error says something else.",
    ),
)
LEFT_WAITING = Mistake(
    "left_waiting",
    "somebody who waits for ever",
    (
        "Who fills what the others wait for, if the question fails, or if the one who asked "
        "is cancelled?",
        "Have a task of its own ask, and let all wait for the task: it ends in every case.",
    ),
)
UNHEARD = Mistake(
    "unheard_error",
    "an error that nobody hears",
    (
        "Somebody alone looks up a name, and that fails. You put the error into a future, or "
        "a task. Who awaits that?",
        "Let the one who asked await it, too, as all others do.",
    ),
)
TAKES_ALONG = Mistake(
    "takes_along",
    "one who is cancelled, and takes the others along",
    (
        "One of those who wait is cancelled. What does that do to what all of them wait for?",
        "Who is cancelled at `await task` cancels the task. And who asks in their own "
        "`resolve` ends the question when they leave.",
        "A task asks; each waits with `await asyncio.shield(task)`, or with "
        "`await asyncio.wait([task])` and then `task.result()`.",
    ),
)
STAYS = Mistake(
    "stays",
    "somebody who is cancelled, and stays",
    (
        "A look-up is cancelled, and does not end. Who catches the `CancelledError`?",
        "Do not catch it, or raise it again: `except OSError` does not catch it.",
    ),
)
DEAD = Mistake(
    "dead_question",
    "a question that has died, and stays",
    (
        "The only one who waited was cancelled. What does the next one find under the name?",
        "Take the question away however it ends. `finally`, or `except BaseException`, also "
        "see that it was cancelled; `except Exception` does not.",
    ),
)
