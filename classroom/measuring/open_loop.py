"""A client that asks on time, whatever happens, and counts each wait from when it was due.

People do not wait for each other before they come. A client that does, and asks only after its
answer, asks least while the server stands still: it leaves out those who would have waited.
This one asks each so many milliseconds, on a connection that is free, or else on a new one.

It runs in a process of its own, and watches itself: when it could not keep to its own times,
its waits would be its own, and it refuses to tell them.
"""

from __future__ import annotations

import argparse
import json
import selectors
import socket
import statistics
import subprocess
import sys
import time
from collections import deque
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlsplit

from .rounds import Refused
from .visitors import is_whole

ANSWER_TIMEOUT = 20.0  # seconds


@dataclass(frozen=True)
class Asked:
    """What was seen by a client that asked on time.

    Attributes:
        times: of each question when it was due, and when it was answered, in seconds from when
            the first one was due.
        late_ms: the share of these waits that was the client's own: 99 of a hundred questions
            were asked within so many milliseconds from when they were due.
    """

    times: tuple[tuple[float, float], ...]
    late_ms: float

    @property
    def waits_ms(self) -> list[float]:
        """Return for how many milliseconds each has waited, in the order of asking."""
        return [(answered - due) * 1e3 for due, answered in self.times]

    @property
    def mean_ms(self) -> float:
        """Return the mean of the waits."""
        return statistics.fmean(self.waits_ms)

    def part_ms(self, share: float) -> float:
        """Return within how many milliseconds a share of all had an answer, such as 0.99."""
        return part(self.waits_ms, share)


def part(values: list[float], share: float) -> float:
    """Return the value up to which a share of all values goes.

    It is one of them: where the share ends between two, the lower one. So of a hundred or less,
    0.99 leaves out the highest.

    Args:
        values: one at least.
        share: from 0 to 1.
    """
    return sorted(values)[int(share * (len(values) - 1))]


def ask_on_time(url: str, *, times: int, each_ms: float, late_ms: float = 10.0) -> Asked:
    """Ask a server on time, from a process of its own, and wait until all is answered.

    Args:
        url: what is asked for.
        times: how often, from one on.
        each_ms: after how many milliseconds the next question is due, more than 0.
        late_ms: refuse when one in a hundred questions was asked later than this after it was
            due; of less than a hundred, when two were.

    Raises:
        ValueError: a number is too small.
        Refused: an answer was no 200 or did not come, or the client was late.
    """
    if times < 1 or each_ms <= 0:
        raise ValueError("ask once at least, and leave some time between two questions")
    command = [sys.executable, "-P", "-m", "classroom.measuring.open_loop", url]
    command += [f"--times={times}", f"--each-ms={each_ms}"]
    said = subprocess.run(command, capture_output=True, text=True)
    if said.returncode:
        why = said.stderr.strip().splitlines() or ["it said nothing"]
        raise Refused(f"the client could not ask it: {why[-1]}")
    seen = json.loads(said.stdout)
    if failed := times - len(seen):
        raise Refused(f"{failed} of {times} answers were no 200, or did not come")
    late = part([asked - due for due, asked, _ in seen], 0.99) * 1e3
    if late > late_ms:
        raise Refused("what asked it could not keep to its own times")
    return Asked(tuple((due, answered) for due, _, answered in seen), late)


class Question:
    """A question that is due at some time.

    Attributes:
        due: when it should be asked.
        asked: when it was.
        answered: when its answer had come; nothing if none has, or it was no 200.
    """

    def __init__(self, due: float) -> None:
        self.due = due
        self.asked = 0.0
        self.answered: float | None = None


class Client:
    """Asks a server, at given times.

    Args:
        host: where it is.
        port: the same.
        request: what is sent each time.
    """

    def __init__(self, host: str, port: int, request: bytes) -> None:
        self.place, self.request = (host, port), request
        self.selector = selectors.DefaultSelector()
        self.free: list[socket.socket] = []
        self.under_way = 0

    def ask_all(self, questions: list[Question]) -> None:
        """Ask each question when it is due, and wait for the answers.

        Args:
            questions: in the order in which they are due.
        """
        waiting = deque(questions)
        give_up = questions[-1].due + ANSWER_TIMEOUT
        while waiting or self.under_way:
            while waiting and waiting[0].due <= time.perf_counter():
                self.ask(waiting.popleft())
            until = waiting[0].due if waiting else give_up
            left = until - time.perf_counter()
            if left <= 0 and not waiting:
                return
            for key, _ in self.selector.select(max(0.0, left)):
                key.data()

    def ask(self, question: Question) -> None:
        """Ask a question, on a connection that is free, or else on a new one."""
        question.asked = time.perf_counter()
        self.under_way += 1
        if self.free:
            self.send(self.free.pop(), question)
            return
        sock = socket.socket(socket.AF_INET6 if ":" in self.place[0] else socket.AF_INET)
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # It says that it is under way; whether it succeeds is seen when the question is sent.
        sock.connect_ex(self.place)
        then = partial(self.send, sock, question)
        self.selector.register(sock, selectors.EVENT_WRITE, then)

    def send(self, sock: socket.socket, question: Question) -> None:
        """Send a question on a connection that is there."""
        try:
            sock.send(self.request)
        except OSError:
            self.end(sock)
            return
        then = partial(self.receive, sock, question, bytearray())
        self.selector.modify(sock, selectors.EVENT_READ, then)

    def receive(self, sock: socket.socket, question: Question, received: bytearray) -> None:
        """Read what has come of an answer."""
        try:
            data = sock.recv(65536)
        except OSError:
            data = b""
        received += data
        if not data:
            self.end(sock)
        elif is_whole(bytes(received)):
            if received.startswith(b"HTTP/1.1 200"):
                question.answered = time.perf_counter()
            self.under_way -= 1
            self.selector.modify(sock, selectors.EVENT_READ, partial(self.hear, sock))
            self.free.append(sock)

    def hear(self, sock: socket.socket) -> None:
        """Notice that a connection which is free has come to its end."""
        self.free.remove(sock)
        self.close(sock)

    def end(self, sock: socket.socket) -> None:
        """Give up a question, whose answer does not come any more."""
        self.under_way -= 1
        self.close(sock)

    def close(self, sock: socket.socket) -> None:
        """Close a connection."""
        self.selector.unregister(sock)
        sock.close()


def main() -> None:
    """Ask, and print of each answer that was a 200 when it was due, asked and answered."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--times", type=int, required=True)
    parser.add_argument("--each-ms", type=float, required=True)
    given = parser.parse_args()
    url = urlsplit(given.url)
    if not url.hostname:
        parser.error(f"{given.url} is no address")
    path = (url.path or "/") + (f"?{url.query}" if url.query else "")
    request = f"GET {path} HTTP/1.1\r\nHost: {url.netloc}\r\n\r\n".encode()
    start = time.perf_counter()
    questions = [Question(start + n * given.each_ms / 1e3) for n in range(given.times)]
    Client(url.hostname, url.port or 80, request).ask_all(questions)
    seen = [
        [one.due - start, one.asked - start, one.answered - start]
        for one in questions
        if one.answered is not None
    ]
    print(json.dumps(seen))


if __name__ == "__main__":
    main()
