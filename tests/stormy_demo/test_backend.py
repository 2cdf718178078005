"""The backend does what the script says, and ends what nobody waits for."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlencode

import pytest
import requests
from tornado.escape import json_decode
from tornado.httpclient import AsyncHTTPClient, HTTPResponse
from tornado.simple_httpclient import HTTPStreamClosedError, HTTPTimeoutError

from loopfilm import running, running_apart
from stormy_demo.backend import Backend, make_app

pytestmark = [
    pytest.mark.filterwarnings("error"),
    pytest.mark.usefixtures("no_noise"),
]


def fetch(url: str, **options: Any) -> asyncio.Future[HTTPResponse]:
    """Ask, and wait as long as it takes: the machine may be busy."""
    client = AsyncHTTPClient(force_instance=True, max_clients=100)
    patient = {"raise_error": False, "connect_timeout": 0, "request_timeout": 0}
    return client.fetch(url, **{**patient, **options})


def assert_refused(response: HTTPResponse, status: int) -> str:
    """Check that an error is told as one JSON sentence, and return it."""
    assert response.code == status
    assert response.headers["Content-Type"].startswith("application/json")
    (sentence,) = json_decode(response.body).values()
    assert list(json_decode(response.body)) == ["error"]
    assert " " in sentence
    return str(sentence)


async def until_asked(backend: Backend, questions: int) -> None:
    while len(backend.asked) < questions:
        await asyncio.sleep(0)


class TestAnswers:
    @pytest.mark.parametrize(
        ("thing", "answer"),
        [("profile", "Grace Hopper"), ("friends", ["ada"]), ("messages", 1)],
    )
    async def test_what_it_knows_of_people(self, thing: str, answer: object) -> None:
        async with running(Backend().app) as url:
            response = await fetch(f"{url}/{thing}?user=grace")
        assert json_decode(response.body) == {thing: answer}

    async def test_something_for_people_whom_it_does_not_know(self) -> None:
        async with running(Backend().app) as url:
            response = await fetch(f"{url}/profile?user=zoe")
        assert json_decode(response.body) == {"profile": "Zoe"}

    async def test_a_sentence_about_what_it_does_not_know(self) -> None:
        async with running(Backend().app) as url:
            assert_refused(await fetch(f"{url}/shoes?user=ada"), 404)

    @pytest.mark.parametrize("path", ["", "/", "/profile/ada", "/profile/", "/%ff"])
    async def test_what_can_be_asked_where_there_is_nothing(self, path: str) -> None:
        async with running(Backend().app) as url:
            assert "/profile?user=ada" in assert_refused(await fetch(url + path), 404)

    @pytest.mark.parametrize("path", ["/profile?user=ada", "/"])
    async def test_a_sentence_to_another_method(self, path: str) -> None:
        async with running(Backend().app) as url:
            response = await fetch(url + path, method="DELETE")
            assert_refused(response, 404 if path == "/" else 405)

    async def test_the_fields_of_a_form(self) -> None:
        form = urlencode({"foo": "bar", "name": " Zoë "})
        async with running(Backend().app) as url:
            response = await fetch(f"{url}/data", method="POST", body=form)
            assert json_decode(response.body) == {"foo": "bar", "name": " Zoë "}
            assert_refused(await fetch(f"{url}/data", method="POST", body="foo=%ff"), 400)
            assert_refused(await fetch(f"{url}/data"), 405)

    def test_as_a_program_too(self) -> None:
        with running_apart(make_app(delay=0)) as url:
            answer = requests.get(f"{url}/messages?user=ada", timeout=500)
        assert answer.json() == {"messages": 3}

    @pytest.mark.parametrize("delay", [-1, float("nan"), float("inf"), 1e10])
    def test_no_delay_that_makes_no_sense(self, delay: float) -> None:
        with pytest.raises(ValueError, match="delay"):
            Backend(delay)
        with pytest.raises(ValueError, match="delay"):
            make_app(delay)

    @pytest.mark.parametrize("together", [0, -1, float("nan")])
    def test_no_number_of_questions_that_makes_no_sense(self, together: int) -> None:
        with pytest.raises(ValueError, match="together"):
            Backend(together=together)


class TestByHand:
    """What a question can ask for itself."""

    @pytest.mark.parametrize("status", [400, 418, 500, 599])
    async def test_a_status(self, status: int) -> None:
        async with running(Backend().app) as url:
            assert (await fetch(f"{url}/profile?user=ada&status={status}")).code == status

    async def test_a_delay(self) -> None:
        """A question that shall wait for an hour has no answer when its asker gives up."""
        async with running(Backend().app) as url:
            assert (await fetch(f"{url}/profile?user=ada&delay=0.01")).code == 200
            with pytest.raises(HTTPTimeoutError):
                await fetch(f"{url}/profile?user=ada&delay=3600", request_timeout=0.1)

    async def test_a_hang_up(self) -> None:
        async with running(Backend().app) as url:
            with pytest.raises(HTTPStreamClosedError):
                await fetch(f"{url}/profile?user=ada&drop=1")

    @pytest.mark.parametrize("nothing", ["delay=0", "drop=0", "status=200", "delay=-0.0"])
    async def test_what_it_does_anyhow(self, nothing: str) -> None:
        async with running(Backend().app) as url:
            response = await fetch(f"{url}/profile?user=ada&{nothing}")
        assert json_decode(response.body) == {"profile": "Ada Lovelace"}

    @pytest.mark.parametrize(
        ("parameter", "values"),
        [
            ("user", ["", "%20", "%ff", "ada&user=grace"]),
            ("delay", ["", "soon", "-1", "nan", "inf", "1e10", "1e400", "%ff", "0&delay=0"]),
            ("status", ["", "fine", "0", "-1", "42", "204", "302", "600", "200.0", "9" * 5000]),
            ("status", ["nan", "%ff", "500&status=500"]),
            ("drop", ["", "yes", "2", "-1", "nan", "1.0", "%ff", "1&drop=0"]),
        ],
    )
    async def test_nothing_that_makes_no_sense(self, parameter: str, values: list[str]) -> None:
        backend = Backend()
        user = "" if parameter == "user" else "user=ada&"
        async with running(backend.app) as url:
            for value in values:
                response = await fetch(f"{url}/profile?{user}{parameter}={value}")
                assert parameter in assert_refused(response, 400)
            assert "?user=ada" in assert_refused(await fetch(f"{url}/profile"), 400)
        assert backend.asked == []


class TestScript:
    async def test_notes_the_questions_in_the_order_they_came(self) -> None:
        backend = Backend()
        async with running(backend.app) as url:
            await asyncio.gather(*(fetch(f"{url}/profile?user={n}") for n in range(10)))
            await fetch(f"{url}/friends?user=ada")
        assert backend.asked == [*(f"profile of {n}" for n in range(10)), "friends of ada"]

    async def test_answers_in_the_order_of_release(self) -> None:
        backend = Backend(hold=True)
        answered = list[str]()

        async def ask(thing: str) -> None:
            await fetch(f"{url}/{thing}?user=ada")
            answered.append(thing)

        async with running(backend.app) as url:
            asking = [asyncio.create_task(ask(t)) for t in ("profile", "friends", "messages")]
            await until_asked(backend, 3)
            for n, thing in ((2, "messages"), (0, "profile"), (1, "friends")):
                backend.release(thing)
                await asking[n]
        assert answered == ["messages", "profile", "friends"]

    async def test_a_release_may_come_before_the_question(self) -> None:
        backend = Backend(hold=True)
        backend.release("profile")
        async with running(backend.app) as url:
            assert (await fetch(f"{url}/profile?user=ada")).code == 200
            assert (await fetch(f"{url}/profile?user=grace")).code == 200

    async def test_a_release_of_one_thing_leaves_the_others_waiting(self) -> None:
        backend = Backend(hold=True)
        async with running(backend.app) as url:
            friends = fetch(f"{url}/friends?user=ada")
            backend.release("profile")
            await fetch(f"{url}/profile?user=ada")
            assert not friends.done()
            backend.release("friends")
            assert (await friends).code == 200

    async def test_a_release_may_come_from_another_thread(self) -> None:
        backend = Backend(hold=True)
        with running_apart(backend.app) as url:
            for thing in ("profile", "friends", "messages"):
                answer = fetch(f"{url}/{thing}?user=ada")
                await until_asked(backend, len(backend.asked) + 1)
                # When nothing moves any more, only the release can wake the backend's loop.
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(asyncio.shield(answer), 0.05)
                backend.release(thing)
                assert (await answer).code == 200

    async def test_a_release_may_come_after_the_end(self) -> None:
        backend = Backend(hold=True)
        async with running(backend.app) as url:
            backend.release("profile")
            await fetch(f"{url}/profile?user=ada")
        backend.release("friends")

    async def test_answers_when_enough_have_asked(self) -> None:
        backend = Backend(together=3)
        async with running(backend.app) as url:
            for _ in range(2):
                early = [fetch(f"{url}/profile?user={n}") for n in range(2)]
                await until_asked(backend, 2)
                assert not any(answer.done() for answer in early)
                await asyncio.gather(*early, fetch(f"{url}/profile?user=last"))
                backend.asked.clear()
        assert backend.most == 3

    async def test_a_question_whose_asker_has_gone_does_not_count(self) -> None:
        backend = Backend(together=2)
        async with running(backend.app) as url:
            with pytest.raises(HTTPTimeoutError):
                await fetch(f"{url}/profile?user=ada", request_timeout=0.1)
            early = fetch(f"{url}/profile?user=grace")
            await until_asked(backend, 2)
            assert backend.most == 1
            assert not early.done()
            await asyncio.gather(early, fetch(f"{url}/profile?user=alan"))

    async def test_questions_of_an_earlier_run_do_not_count(self) -> None:
        backend = Backend(together=2)
        async with running(backend.app) as url:
            lost = fetch(f"{url}/profile?user=ada")
            await until_asked(backend, 1)
        with pytest.raises(HTTPStreamClosedError):
            await lost
        async with running(backend.app) as url:
            early = fetch(f"{url}/profile?user=grace")
            await until_asked(backend, 2)
            assert not early.done()
            await asyncio.gather(early, fetch(f"{url}/profile?user=alan"))

    async def test_fails_drops_and_hangs_for_some_things_only(self) -> None:
        backend = Backend(fail={"profile"}, drop={"friends"}, hang={"shoes"})
        async with running(backend.app) as url:
            assert (await fetch(f"{url}/profile?user=ada")).code == 500
            with pytest.raises(HTTPStreamClosedError):
                await fetch(f"{url}/friends?user=ada")
            assert (await fetch(f"{url}/messages?user=ada")).code == 200

    async def test_a_question_that_hangs_ends_with_its_connection(self) -> None:
        tasks = asyncio.all_tasks()
        async with running(Backend(hang={"profile"}).app) as url:
            with pytest.raises(HTTPTimeoutError):
                await fetch(f"{url}/profile?user=ada", request_timeout=0.1)
            while asyncio.all_tasks() != tasks:
                await asyncio.sleep(0)
