"""The mistakes that are made in this exercise."""

from __future__ import annotations

from classroom.examining.verdict import Mistake

ORDER_OF_COMING = Mistake(
    "order_of_coming",
    "answers in the order in which they came",
    (
        "Each answer stands behind those that came before it. Which of them was asked for "
        "first?",
        "Make a list of the right length, and give each receiver its own place in it.",
        "`partial(keep, number)` is a receiver that knows its number.",
    ),
)
OTHER_ORDER = Mistake(
    "other_order",
    "answers that were put in an order of their own",
    (
        "What decides where an answer stands in your list: what it says, when it came, or in "
        "which future it was?",
        "Sort and turn round nothing. `partial(keep, number)` is a receiver that knows its "
        "number, which is the place of its future.",
    ),
)
LATE_BINDING = Mistake(
    "late_binding",
    "a function made in a loop that sees only the loop's last number",
    (
        "The function is called after the loop has ended. Which number does it see then?",
        "Bind the number when you make the function: `partial(keep, number)`, or "
        "`lambda full, number=number: ...`.",
    ),
)
LOOKS_TOO_EARLY = Mistake(
    "looks_too_early",
    "a look into a box that is still empty",
    (
        "`result()` does not wait: an empty box raises an exception.",
        "Name a receiver with `add_future`, and look when it is called.",
    ),
)
NO_PROMISE = Mistake(
    "no_promise",
    "something else where a promise was wanted",
    (
        "The answers do not exist yet when `join` returns. What stands for them until then?",
        "Make a `Future`, return it, and fill it when the last answer is there.",
    ),
)
NOTHING_RETURNED = Mistake(
    "nothing_returned",
    "a promise that is never handed over",
    (
        "What does a function give that has no `return`?",
        "`return joined`, at the end of `join` itself.",
    ),
)
FILLED_EARLY = Mistake(
    "filled_early",
    "a promise that is filled before the answers are there",
    (
        "How many answers have come when the box is filled, and what is in it?",
        "Let the receiver fill it that finds that all are there.",
    ),
)
BOXES = Mistake(
    "boxes",
    "the boxes, where what is in them was wanted",
    (
        "A receiver is called with the full future. Is that what the caller wants?",
        "`full.result()` takes the value out of it.",
    ),
)
VALUE_AS_SIGN = Mistake(
    "value_as_sign",
    "a value that is taken for a sign that nothing is there",
    (
        "Can somebody put `None` or 0 into a future? What does your code make of that?",
        "Count the answers that have come, or ask the futures: `future.done()`.",
    ),
)
EMPTY_HANGS = Mistake(
    "empty_hangs",
    "an empty list, for which nobody fills the promise",
    (
        "With no futures there is no last one, and so nobody who fills the promise.",
        "Fill it at once when `futures` is empty.",
    ),
)
NEVER_FILLED = Mistake(
    "never_filled",
    "a promise that nobody fills",
    (
        "Who knows that the last answer has come? Whoever keeps it can count.",
        "When all are there: `joined.set_result(results)`.",
    ),
)
COUNTS_LAST_PLACE = Mistake(
    "last_place",
    "the last one asked taken for the last one to come",
    (
        "The one that was asked last may come first.",
        "Count how many are there, not which one has come.",
    ),
)
CALLED_AT_ONCE = Mistake(
    "called_at_once",
    "a function that was called where it should be handed over",
    (
        "What stands inside the brackets of `add_future`: a function, or what it returned?",
        "With brackets behind its name it is called now. `partial(keep, number)` is a function "
        "that knows its number and has not been called.",
    ),
)
FILLED_TWICE = Mistake(
    "filled_twice",
    "a promise that is filled twice",
    (
        "All were filled in one turn. What does each receiver find when it is called?",
        "Count how many have been kept, or look whether `joined.done()` before you fill it.",
    ),
)
FIXED_NUMBER = Mistake(
    "fixed_number",
    "a number that fits one list only",
    (
        "How many futures may there be in the list?",
        "`len(futures)` says how many there are.",
    ),
)
SHARED = Mistake(
    "shared",
    "something of one call, kept where all calls find it",
    (
        "`join` is called a second time. What lies there from the first?",
        "Make it anew in each call: inside of `join`, and not in a default value either.",
    ),
)
NO_LIST = Mistake(
    "no_list",
    "something else where a list was wanted",
    (
        "What do you put into the box, and what is wanted?",
        "A list in the order of the futures: `[results[n] for n in range(len(futures))]`.",
    ),
)
INSERTED = Mistake(
    "inserted",
    "a place that moves when others come",
    (
        "What does `insert` do with a place behind the end of the list, and with what stood "
        "there already?",
        "Make a list of the right length first, and assign: `results[number] = ...`.",
    ),
)
RETURNS_IN_LOOP = Mistake(
    "returns_in_loop",
    "a `return` inside the loop",
    (
        "How many of the futures have a receiver when `join` returns?",
        "`return joined` stands behind the loop, as far to the left as `for`.",
    ),
)
TOO_FEW = Mistake(
    "too_few",
    "fewer answers than there are futures",
    (
        "How many futures were joined, and how many answers stand in the list?",
        "Name a receiver for each of them. `range(len(futures))` counts from 0 to the last.",
    ),
)
NO_PLACE = Mistake(
    "no_place",
    "a place in a list that is too short for it",
    (
        "How long is the list when the receiver puts something at its place?",
        "Make it as long as `futures` first, `[None] * len(futures)`, or take a dictionary.",
    ),
)
NUMBER_FOR_FUTURE = Mistake(
    "number_for_future",
    "the number in the place of the future",
    (
        "In which order does a `partial` hand over what it knows, and what it is called with?",
        "What it knows comes first: `partial(keep, number)` calls `keep(number, full)`.",
    ),
)
WRONG_BOX = Mistake(
    "wrong_box",
    "a receiver for another box than those that were given",
    (
        "Which boxes will somebody else fill, and which one have you named a receiver for?",
        "`add_future(future, ...)`, for each `future` of the list; `joined` you fill yourself.",
    ),
)
