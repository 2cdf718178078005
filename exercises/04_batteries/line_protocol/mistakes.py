"""How people get a line protocol wrong."""

from classroom.examining.verdict import Mistake

READ_FOR_MESSAGE = Mistake(
    "read_for_message",
    "a read that is taken for a message",
    (
        "What does your read give when two lines have come together, and what when half of one "
        "has come?",
        'Let `await stream.read_until(b"\\n", ...)` wait for the end of a line. It keeps what '
        "comes behind that for the next call.",
    ),
)
WAITS_FOR_MORE = Mistake(
    "waits_for_more",
    "a read that waits for more than a line",
    (
        "The client has sent its line, and waits for an answer. What does your read wait for?",
        "The line is complete when its end is there, which is one byte: "
        '`await stream.read_until(b"\\n", ...)`.',
    ),
)
ONE_LINE = Mistake(
    "one_line",
    "a conversation that is over after one line",
    (
        "The first line is answered. Which of your lines reads the second?",
        "Read and answer in a loop, `while True:`, which ends when the client leaves.",
    ),
)
NO_LINE_END = Mistake(
    "no_line_end",
    "an answer without its line's end",
    (
        "The client waits for a line as you do. How does it know that your answer is complete?",
        'The last byte of what you write is a `b"\\n"`.',
    ),
)
CARRIAGE_RETURN = Mistake(
    "carriage_return",
    "an answer with another line's end",
    (
        "Which bytes come behind your number? A client cuts at the line's end, and takes all "
        "before it for the answer.",
        'In this protocol the line\'s end is one byte, `b"\\n"`, with no `b"\\r"` before it.',
    ),
)
TEXT_WRITTEN = Mistake(
    "text_written",
    "text, or a number, where bytes are wanted",
    (
        "TCP brings bytes. What do you give to `write`?",
        "`encode` makes bytes of a text: `str(total).encode()`, and the line's end behind it.",
    ),
)
PROMISE = Mistake(
    "promise",
    "a promise that is taken for the line",
    (
        "What does `read_until` return while the line is still to come?",
        "A future. `await` it, and you have the bytes.",
    ),
)
ENDS_AT_ERROR = Mistake(
    "ends_at_error",
    "a conversation that ends with a line that is not understood",
    (
        "A client mistypes once. What becomes of the lines that it sends after that?",
        "Put `try` and `except ValueError` around the sum alone, inside the loop; what you "
        "write then is the line `error`.",
    ),
)
DECODES_OUTSIDE = Mistake(
    "decodes_outside",
    "a `decode` that nobody watches",
    (
        "Not all bytes are text. What does `decode` do with those that are none?",
        "It raises a `UnicodeDecodeError`, which is a kind of `ValueError`. Decode inside the "
        "`try`; or leave it away, since `int` takes bytes as well.",
    ),
)
IGNORED_BYTES = Mistake(
    "ignored_bytes",
    "bytes that are passed over",
    (
        "A line has a byte in it that is no text. What is left of it after your `decode`?",
        'With `errors="ignore"`, all but that byte, and you add up a line that nobody sent. '
        "Leave it away: then `decode` raises a `UnicodeDecodeError`, which is a `ValueError`; "
        "or give the bytes to `int`.",
    ),
)
LEFT_OUT = Mistake(
    "left_out",
    "a word that is left out of the sum",
    (
        "A line has a word in it that is no number. What does the client get to know of that?",
        "Leave out nothing: if one word of a line is no number, the answer is `error`.",
    ),
)
EVALUATES = Mistake(
    "evaluates",
    "a stranger's text, run as a program",
    (
        "Whoever connects writes what your `eval` runs, on your machine. What may that be?",
        'Anything that Python can do, as `__import__("os")` begins. `int(word)` reads a '
        "number, and runs nothing.",
    ),
)
FRACTIONS = Mistake(
    "fractions",
    "numbers that are not whole, counted too",
    (
        "The lines of this protocol have whole numbers. What does your code make of `2.5`?",
        "`float` takes more than that: `2.5`, `1e3`, even `nan`. `int(word)` raises a "
        "`ValueError` for each of them.",
    ),
)
SILENT = Mistake(
    "silent",
    "a line that is not answered",
    (
        "The client waits for an answer to each line. Which lines of its get none?",
        "Also a line that you do not understand is answered: with the line `error`.",
    ),
)
ONE_AT_A_TIME = Mistake(
    "one_at_a_time",
    "one client at a time",
    (
        "Ada pauses in the middle of her line. What does your code keep meanwhile, that Grace "
        "needs?",
        "Each call of `serve` has a stream of its own. Let the calls share nothing: no lock, "
        "no place that one of them takes.",
    ),
)
SHARED = Mistake(
    "shared",
    "one place for what all clients have sent",
    (
        "Ada and Grace send at the same time. Whose bytes are in your buffer?",
        "Make what you keep of a client inside `serve`; or let the stream keep it, as "
        "`read_until` does.",
    ),
)
DIES = Mistake(
    "dies_when_the_client_leaves",
    "a client that leaves, which nobody expects",
    (
        "How do you hear that a client has left? At a read, and at a write.",
        "By a `StreamClosedError`. Put the whole loop into `try`, with an "
        "`except StreamClosedError` that returns.",
    ),
)
STAYS = Mistake(
    "stays",
    "a conversation that goes on without its client",
    (
        "The client has left. What ends your loop?",
        "A `StreamClosedError` does, if you let it out of the loop: return where you catch it.",
    ),
)
NO_BOUND = Mistake(
    "no_bound",
    "a line without a bound",
    (
        "A client sends, and sends, and never ends its line. Who keeps all that, and how much "
        "of it?",
        "Say it where you read: `max_bytes=100`. A look at the length of a line that is "
        "complete comes too late.",
    ),
)
OTHER_BOUND = Mistake(
    "other_bound",
    "a bound that is another one",
    (
        "A line may have 100 bytes, of which its end is one. How long is the longest that you "
        "answer?",
        "`max_bytes` counts the line's end too: `max_bytes=100`.",
    ),
)
LEFT_OPEN = Mistake(
    "left_open",
    "a connection that is left open",
    (
        "What ends a connection: that `serve` returns?",
        "Whoever is done with a stream closes it: `stream.close()`. `max_bytes` does so by "
        "itself.",
    ),
)
