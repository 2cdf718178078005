"""Five films, and five cures."""

from __future__ import annotations

from classroom.examining.kinds import Choice
from classroom.examining.verdict import Mistake

name_the_cure = Choice(
    __name__,
    {
        "one": {
            "thread": None,
            "gather": Mistake(
                "one_gathered",
                "a `gather` around calls that never let go of the thread",
                (
                    "What is to go on meanwhile, while the thread stands in `requests.get`?",
                    "Each of them asks one thing. The thread is what they wait for, so the "
                    "call has to stand somewhere else.",
                ),
            ),
            "shorter": Mistake(
                "one_unlocked",
                "a lock that is not in this film",
                (
                    "At which line did they stand? Do you see a lock there?",
                    "Grace waits because the thread is not free. Who has it, and what for?",
                ),
            ),
            "clients": Mistake(
                "one_let_through",
                "a larger number for a client that is not used",
                (
                    "Which client asks here? Look at the line below the red bar.",
                    "`requests` has no line of people: it holds the thread of whoever calls "
                    "it. So give it another thread.",
                ),
            ),
            "process": Mistake(
                "one_in_a_process",
                "another processor for a call that waits",
                (
                    "What does the processor do while `requests.get` waits for the backend?",
                    "Nothing. For what waits, something cheaper than a process is enough.",
                ),
            ),
        },
        "two": {
            "thread": Mistake(
                "two_in_a_thread",
                "a thread for code that lets go of the thread already",
                (
                    "Is there anything red? Look at the heartbeat.",
                    "Nobody is held up. Ada asks three things, and the backend had one at a "
                    "time. Who decides when the second is asked?",
                ),
            ),
            "gather": None,
            "shorter": Mistake(
                "two_unlocked",
                "a lock where there is nobody to lock out",
                (
                    "How many people are in this film?",
                    "One: she waits for nobody else. Between two of her questions stands an "
                    "`await`. Does the second need the answer to the first?",
                ),
            ),
            "clients": Mistake(
                "two_let_through",
                "a larger number for a client that had one question at a time",
                (
                    "How many questions did the client have at once, of the ten that it lets "
                    "through?",
                    "One. It would let the others through, if they were sent.",
                ),
            ),
            "process": Mistake(
                "two_in_a_process",
                "another processor for code that hardly uses one",
                (
                    "How much of this film is blue or red, and how much is a thin line?",
                    "A thin line is waiting. Three waits, one after another: what would make "
                    "one of them?",
                ),
            ),
        },
        "three": {
            "thread": Mistake(
                "three_in_a_thread",
                "a thread for something that holds no thread",
                (
                    "The heart beats all the time. So what is it that Grace waits for?",
                    "She stood at `self.lock.acquire()`. In a thread she would stand there "
                    "as well.",
                ),
            ),
            "gather": Mistake(
                "three_gathered",
                "a `gather` for people who are under way at once already",
                (
                    "Three are open at once. Why has the backend one question at a time?",
                    "Each of them asks one thing, so there is nothing to gather. Who has the "
                    "lock while Ada's question is at the backend?",
                ),
            ),
            "shorter": None,
            "clients": Mistake(
                "three_let_through",
                "a larger number for a client that was not full",
                (
                    "Ten may ask at once. How many have come as far as the client?",
                    "One. The others stand in front of something else: see where they stood.",
                ),
            ),
            "process": Mistake(
                "three_in_a_process",
                "another processor for people who stand at a lock",
                (
                    "Who uses the processor in this film?",
                    "Hardly anybody. Two processes have two locks, so two people would ask at "
                    "once. For how long does each of them keep the lock?",
                ),
            ),
        },
        "four": {
            "thread": Mistake(
                "four_in_a_thread",
                "a thread where the loop is free",
                (
                    "Ten of them are answered at the same moment. Would that happen if one "
                    "held the loop?",
                    "Two wait twice as long as ten. Who has a line in which ten may pass?",
                ),
            ),
            "gather": Mistake(
                "four_gathered",
                "a `gather` for people who ask one thing each",
                (
                    "How many things does each of the twelve ask?",
                    "One, and all twelve came at once. The backend has seen ten of them at "
                    "once: who kept two back?",
                ),
            ),
            "shorter": Mistake(
                "four_unlocked",
                "a lock that would let ten pass",
                (
                    "A lock lets one in. How many were let in here?",
                    "Ten, exactly. Which number of ten have you met in the second notebook?",
                ),
            ),
            "clients": None,
            "process": Mistake(
                "four_in_a_process",
                "a second process against a number that you can raise",
                (
                    "It would help: two processes have two clients. What is in a client that "
                    "you would have twice?",
                    "A number, and the processor was idle. It is cheaper to raise the number.",
                ),
            ),
        },
        "five": {
            "thread": Mistake(
                "five_in_a_thread",
                "a thread for work that needs the processor",
                (
                    "The line below the red bar is `sum(...)`. Does it wait for anybody?",
                    "In one process, only one thread runs Python at a time. The work would "
                    "fight with the loop for it. What has a Python of its own?",
                ),
            ),
            "gather": Mistake(
                "five_gathered",
                "a `gather` around work",
                (
                    "What overlaps in a `gather` is waiting. Where is it, in this film?",
                    "There is none, and no question came to the backend. It is all work.",
                ),
            ),
            "shorter": Mistake(
                "five_unlocked",
                "a lock that nobody has",
                (
                    "Between which two lines would this lock be held?",
                    "Grace waits for the thread, and Ada has it: for a sum.",
                ),
            ),
            "clients": Mistake(
                "five_let_through",
                "a client where nobody asks anything",
                (
                    "How many questions came to the backend?",
                    "None. Nobody waits for a client; somebody calculates.",
                ),
            ),
            "process": None,
        },
    },
    "Red, or not? If it is red: does that line wait, or work? If it is not: who stands in "
    "line, and in front of what? With these questions, a film names its cure.",
    (
        "Begin with the heartbeat: is the loop held, or is it free?",
        "Where it is held, read the line below the red bar: does it wait, or does it work? "
        "Where it is free, compare how many came with how many were at the backend at once.",
    ),
)
