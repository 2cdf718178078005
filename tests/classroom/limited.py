"""Check a right answer where the system sets a limit, such as `ulimit` does.

    python -m tests.classroom.limited RLIMIT_NOFILE 64

The answer has a dozen threads, whose stacks are as large as the system likes them. What is
printed is the state of the verdict, or why there is none.
"""

from __future__ import annotations

import resource
import sys

from classroom.catalogue import find, folders
from classroom.examining.parent import examine

THREADS = """
import threading
over = threading.Event()
for _ in range({}): threading.Thread(target=over.wait, daemon=True).start()
"""


def main() -> None:
    """Check it."""
    limit, value = sys.argv[1:]
    answer = (folders()["join_in_order"] / "solution.py").read_text(encoding="utf-8")
    resource.setrlimit(getattr(resource, limit), (int(value), int(value)))
    try:
        print(examine(find("join_in_order"), THREADS.format(12) + answer).state)
    except RuntimeError as error:
        print(error)


if __name__ == "__main__":
    main()
