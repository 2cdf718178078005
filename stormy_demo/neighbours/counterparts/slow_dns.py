"""A DNS server on this machine that takes its time: the other end of who looks up a name.

It has a loop in a thread of its own, so it also answers who blocks, and it speaks UDP alone::

    with serving({"slow.example": ["127.0.0.1"]}, delays={"slow.example": 0.5}) as server:
        DnsResolver(*server.place)
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager
from typing import Any

from loopfilm import LOCALHOST
from loopfilm.own_loop import OwnLoop

try:
    from dnslib import (  # type: ignore[import-untyped]
        AAAA,
        QTYPE,
        RCODE,
        RR,
        SOA,
        A,
        DNSError,
        DNSRecord,
    )
except ImportError as error:
    raise ImportError(
        f"The DNS server needs dnslib, and one part cannot be imported, {error.name}: "
        "pip install dnslib",
        name=error.name,
    ) from error


class Server(asyncio.DatagramProtocol):
    """What the server knows, and what it was asked.

    Attributes:
        place: its addresses, of which it has one, and its port, as resolvers want them.
        addresses: those of each name. A name that is not there does not exist; one without
            addresses does, and has none.
        delays: for a name, how many seconds its answers take.
        failing: for a name, or one of its questions as "ada.example A", the code of the error
            that it is answered with, as "SERVFAIL".
        silent: names that are not answered at all.
        garbled: names whose answers are no answers.
        ttl: for how many seconds who asks may keep an answer, also that there is none.
        asked: each question that has come, as "ada.example A".
    """

    place: tuple[list[str], int]

    def __init__(
        self, addresses: Mapping[str, Sequence[str]], delays: Mapping[str, float], ttl: int
    ) -> None:
        """Know some names."""
        self.addresses = dict(addresses)
        self.delays = dict(delays)
        self.failing: dict[str, str] = {}
        self.silent: set[str] = set()
        self.garbled: set[str] = set()
        self.ttl = ttl
        self.asked: list[str] = []
        self._answering: set[asyncio.Task[None]] = set()

    def begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """Be ready to answer, on this loop."""
        self._loop = loop
        self._holders = 0
        self._open = asyncio.Event()
        self._open.set()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold all answers back as long as the block lasts; call it from another thread."""
        self._count_holders(1)
        try:
            yield
        finally:
            self._count_holders(-1)

    def _count_holders(self, more: int) -> None:
        async def count() -> None:
            self._holders += more
            if self._holders:
                self._open.clear()
            else:
                self._open.set()

        asyncio.run_coroutine_threadsafe(count(), self._loop).result()

    def connection_made(self, transport: Any) -> None:
        """Know where to send the answers."""
        self._transport = transport
        host, port = transport.get_extra_info("sockname")
        self.place = ([host], port)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        """Answer a question, while others come."""
        try:
            question = DNSRecord.parse(data)
        except DNSError:
            return
        # Two servers that answer each other's answers would never end.
        if question.header.qr or not question.questions:
            return
        task = self._loop.create_task(self._answer(question, addr))
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    async def _answer(self, question: DNSRecord, client: Any) -> None:
        name = str(question.q.qname).rstrip(".").lower()
        # Of a kind without a name dnslib says only the number.
        kind = QTYPE.forward.get(question.q.qtype, str(question.q.qtype))
        self.asked.append(f"{name} {kind}")
        await asyncio.sleep(self.delays.get(name, 0))
        await self._open.wait()
        # It may be the end of the server that lets the answer go.
        if name in self.silent or self._transport.is_closing():
            return
        reply = self._reply(question, name, kind).pack()
        self._transport.sendto(reply[:20] if name in self.garbled else reply, client)

    def _reply(self, question: DNSRecord, name: str, kind: str) -> DNSRecord:
        reply = question.reply()
        if code := self.failing.get(name) or self.failing.get(f"{name} {kind}"):
            reply.header.rcode = getattr(RCODE, code)
            return reply
        rdata = AAAA if kind == "AAAA" else A
        for address in self.addresses.get(name, ()):
            if kind == ("AAAA" if ":" in address else "A"):
                record = RR(question.q.qname, question.q.qtype, 1, self.ttl, rdata(address))
                reply.add_answer(record)
        if not reply.rr:
            # It says for how long "there is none" may be kept.
            none = SOA("ns.example", "ada.example", (1, 60, 60, 60, self.ttl))
            reply.add_auth(RR("example", QTYPE.SOA, 1, self.ttl, none))
        if name not in self.addresses:
            reply.header.rcode = RCODE.NXDOMAIN
        return reply


@contextmanager
def serving(
    addresses: Mapping[str, Sequence[str]],
    delays: Mapping[str, float] | None = None,
    ttl: int = 60,
) -> Iterator[Server]:
    """Run the server on 127.0.0.1, at a port that the system picks, as long as a block lasts.

    Args:
        addresses: those of each name, of either family.
        delays: for a name, how many seconds its answers take.
        ttl: for how many seconds who asks may keep an answer, also that there is none.

    Yields:
        The server.

    Raises:
        OSError: the system has no port to give.
    """
    server = Server(addresses, delays or {}, ttl)
    ready: Future[None] = Future()

    async def serve() -> None:
        loop = asyncio.get_running_loop()
        server.begin(loop)
        transport, _ = await loop.create_datagram_endpoint(
            lambda: server, local_addr=(LOCALHOST, 0)
        )
        ready.set_result(None)
        try:
            await asyncio.Event().wait()
        finally:
            transport.close()

    with OwnLoop(serve) as own_loop:
        either: list[Future[Any]] = [ready, own_loop.outcome]
        wait(either, return_when=FIRST_COMPLETED)
        # Otherwise it could not listen, which the loop's own block tells.
        if ready.done():
            yield server
