"""Four libraries that block, and four ways out."""

from __future__ import annotations

from classroom.examining.kinds import Choice
from classroom.examining.verdict import Mistake

way_out = Choice(
    __name__,
    {
        "one": {
            "rewrite": Mistake(
                "one_rewritten",
                "a rewrite of a library that is not yours",
                (
                    "Who mends your copy when the vendor brings out the next version?",
                    "It is to stay as it is, so it has to wait underneath, where it calls "
                    "`requests`. Which way changes what waits there?",
                ),
            ),
            "threads": Mistake(
                "one_in_threads",
                "a thread for each of five hundred",
                (
                    "What does each person who waits cost, in section 2? Multiply.",
                    "It waits in `requests`, and for that there is a way without a thread "
                    "each.",
                ),
            ),
            "greenlets": None,
            "process": Mistake(
                "one_in_a_process",
                "another process for something that waits",
                (
                    "What does the processor do while five hundred people wait for the vendor?",
                    "Nothing. And a process that calls the library blocks as well, so each of "
                    "them would need one.",
                ),
            ),
        },
        "two": {
            "rewrite": None,
            "threads": Mistake(
                "two_in_threads",
                "a thread around code that you could read and change",
                (
                    "In a thread, other code may run between any two of your lines. Do you see "
                    "in the source where?",
                    "You want to see where others may run. Which way writes a word at each of "
                    "these places, and who may change these forty lines?",
                ),
            ),
            "greenlets": Mistake(
                "two_in_greenlets",
                "a hidden switch in code that you could read and change",
                (
                    "What was the price of a greenlet, in section 8?",
                    "With a greenlet the switch is hidden inside `requests.get`. With which "
                    "way is it written in your own lines?",
                ),
            ),
            "process": Mistake(
                "two_in_a_process",
                "another process for something that waits",
                (
                    "Do these forty lines need the processor, or do they wait?",
                    "They wait. And they are yours: you may change the way in which they do.",
                ),
            ),
        },
        "three": {
            "rewrite": Mistake(
                "three_rewritten",
                "an `await` in front of work",
                (
                    "What is there to wait for in this loop? Where would the `await` stand?",
                    "Section 7 of the second notebook ran two coroutines that count. One ended "
                    "before the other began, and both held the loop. Work belongs elsewhere.",
                ),
            ),
            "threads": Mistake(
                "three_in_threads",
                "threads for work that needs the processor",
                (
                    "A thread lets go of Python while it waits. When does this loop wait?",
                    "Never: in one process only one thread runs Python at a time, so the loop "
                    "of Tornado and the calculation would fight for it. What has a Python of "
                    "its own?",
                ),
            ),
            "greenlets": Mistake(
                "three_in_greenlets",
                "a greenlet for work that never waits",
                (
                    "A greenlet gives the thread away when it says `switch`. Who says that in "
                    "this loop?",
                    "Nobody: there is nothing to wait for. Where does work for the processor "
                    "belong?",
                ),
            ),
            "process": None,
        },
        "four": {
            "rewrite": Mistake(
                "four_rewritten",
                "a rewrite of a driver in C",
                (
                    "How many lines would you write, in which language, and who pays for it?",
                    "Five people wait at a time. What is good enough for five?",
                ),
            ),
            "threads": None,
            "greenlets": Mistake(
                "four_in_greenlets",
                "a polite adapter under something that does not use it",
                (
                    "The adapter is a part of `requests`. What does this driver wait in?",
                    "In C, with a connection of its own: no `wait` can be put underneath it. "
                    "It has to block somewhere else than on the loop's thread.",
                ),
            ),
            "process": Mistake(
                "four_in_a_process",
                "another process for something that waits",
                (
                    "What does the processor do while the driver waits for the database?",
                    "Nothing. Processes are for work. A thread is cheaper, and shares the "
                    "variables of your program.",
                ),
            ),
        },
    },
    "Whose code is it, does it wait or work, in what does it wait, and how many wait at once: "
    "these four questions choose the way.",
    (
        "Ask of each case: does it wait, or does it work? Whose code is it? In what does it "
        "wait? How many wait at once?",
        "Each way is right once, so begin with the case of which you are certain.",
    ),
)
