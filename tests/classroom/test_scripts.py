"""Scripts run on a loop, or in a process, of their own."""

from __future__ import annotations

import socket
import subprocess

import pytest
from tornado.ioloop import IOLoop

from classroom import as_a_program, in_a_process, on_a_loop


class TestOnALoop:
    def test_runs_until_the_loop_is_stopped(self) -> None:
        order: list[str] = []

        def script() -> None:
            IOLoop.current().add_callback(order.append, "later")
            IOLoop.current().add_callback(IOLoop.current().stop)
            order.append("now")

        on_a_loop(script)
        assert order == ["now", "later"]

    def test_a_coroutine_function_is_refused_at_once(self) -> None:
        async def script() -> None:
            IOLoop.current().stop()

        with pytest.raises(TypeError, match="needs a plain function"):
            on_a_loop(script)

    def test_gives_the_script_s_own_exception_to_the_caller(self) -> None:
        with pytest.raises(ZeroDivisionError):
            on_a_loop(lambda: 1 / 0)

    def test_a_script_that_never_stops_is_stopped(self) -> None:
        with pytest.raises(TimeoutError, match="nothing stopped the loop"):
            on_a_loop(lambda: None, seconds=0.01)


class TestInAProcess:
    def test_returns_what_was_printed(self) -> None:
        assert in_a_process("print(6 * 7)") == "42"

    def test_sees_the_package(self) -> None:
        assert in_a_process("import loopfilm") == ""

    def test_a_script_that_fails_says_why(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(subprocess.CalledProcessError):
            in_a_process("1 / 0")
        assert "ZeroDivisionError" in capsys.readouterr().out


class TestAsAProgram:
    def test_runs_while_the_block_lasts_on_a_port_that_is_free(self) -> None:
        server = """
import http.server
server = http.server.HTTPServer(("127.0.0.1", 8889), http.server.BaseHTTPRequestHandler)
print("http://127.0.0.1:8889")
server.serve_forever()
"""
        with as_a_program(server) as url:
            port = int(url.rpartition(":")[2])
            assert port != 8889
            socket.create_connection(("127.0.0.1", port)).close()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))

    def test_one_that_fails_says_why(self) -> None:
        with pytest.raises(RuntimeError, match="ZeroDivisionError"), as_a_program("1 / 0"):
            pass

    def test_one_that_ends_and_says_nothing_is_noticed(self) -> None:
        with pytest.raises(RuntimeError, match="ended"), as_a_program(""):
            pass
