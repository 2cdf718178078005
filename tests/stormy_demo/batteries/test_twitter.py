"""The sign-in of the talk, OAuth 1.0a, by those who may, and by those who may not."""

from __future__ import annotations

import asyncio
import base64
import logging
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tornado import auth
from tornado.escape import json_decode
from tornado.httpclient import AsyncHTTPClient, HTTPResponse
from tornado.httputil import url_concat

from loopfilm import running
from stormy_demo.batteries.counterparts.browser import Browser, arguments_of, changed
from stormy_demo.batteries.counterparts.providers import KEY, SECRET, twitter_provider
from stormy_demo.batteries.twitter import make_app
from tests import bad_clients, quick_start

from .bad_providers import (
    FAILURES,
    Answer,
    hangs,
    hosts_in,
    provider_survives,
    provider_that,
    says,
)

pytestmark = pytest.mark.usefixtures("no_noise", "no_proxies")

PATIENCE = 500.0
BROUGHT = "app → provider: GET /oauth/access_token"


@dataclass
class Scene:
    """An application, the provider that it asks, and who asked whom for what."""

    app: str
    provider: str
    walk: list[str] = field(default_factory=list)

    def browser(self) -> Browser:
        return Browser(self.walk.append, app=self.app)

    async def callback(self, browser: Browser, user: str = "ada") -> str:
        return await browser.callback(self.app, user=user)


@asynccontextmanager
async def scene() -> AsyncIterator[Scene]:
    walk: list[str] = []
    with twitter_provider(walk.append) as provider:
        async with running(make_app(provider, deadline=PATIENCE)) as app:
            yield Scene(app, provider, walk)


def said(response: HTTPResponse) -> Any:
    return json_decode(response.body)


async def who_is(browser: Browser, app: str) -> Any:
    return said(await browser.open(f"{app}/"))["user"]


# -- those who may -----------------------------------------------------------------------------


async def test_the_walk_from_the_app_to_the_provider_and_back() -> None:
    async with scene() as s:
        ada = s.browser()
        assert await who_is(ada, s.app) is None
        s.walk.clear()
        assert said(await ada.sign_in(s.app, user="ada")) == {"user": "ada"}
        assert s.walk == [
            "browser → app: GET /sign-in",
            "app → provider: GET /oauth/request_token",
            "browser → provider: GET /oauth/authenticate",
            "browser → provider: POST /oauth/authenticate",
            "browser → app: GET /signed-in",
            "app → provider: GET /oauth/access_token",
            "app → provider: GET /1.1/account/verify_credentials.json",
            "browser → app: GET /",
        ]


async def test_the_page_of_the_provider_has_nothing_from_another_host() -> None:
    async with scene() as s:
        page = await s.browser().open(f"{s.app}/sign-in")
    assert b"<form" in page.body and hosts_in(page.body) == set()


async def test_all_cookies_are_for_servers_alone() -> None:
    async with scene() as s:
        ada = s.browser()
        answers = [await ada.step(f"{s.app}/sign-in"), await ada.step(await s.callback(ada))]
        cookies = [c for answer in answers for c in answer.headers.get_list("Set-Cookie")]
        assert len(cookies) == 3
        for cookie in cookies:
            assert "HttpOnly" in cookie
            assert "SameSite=Lax" in cookie


async def test_a_name_that_nobody_signed_is_nobody() -> None:
    async with scene() as s:
        ada = s.browser()
        await ada.sign_in(s.app, user="ada")
        ada.cookies["user"] = ada.cookies["user"].replace("YWRh", "Z3JhY2U=")
        assert await who_is(ada, s.app) is None


def test_the_mixin_is_still_there_and_says_that_it_will_not_stay() -> None:
    assert ".. deprecated:: 6.3" in str(auth.TwitterMixin.__doc__)


# -- those who may not -------------------------------------------------------------------------


async def test_the_right_address_in_another_browser_is_refused_by_the_app() -> None:
    async with scene() as s:
        callback = await s.callback(s.browser())
        thief = s.browser()
        assert (await thief.open(callback)).code == 403
        await thief.open(f"{s.app}/sign-in")
        assert (await thief.open(callback)).code == 403
        assert await who_is(thief, s.app) is None
        assert BROUGHT not in s.walk


async def test_a_verifier_of_somebody_else_is_refused_by_the_provider() -> None:
    async with scene() as s:
        stolen = arguments_of(await s.callback(s.browser()))["oauth_verifier"]
        thief = s.browser()
        callback = await s.callback(thief, "mallory")
        answer = await thief.open(changed(callback, oauth_verifier=stolen))
        assert answer.code == 403
        assert BROUGHT in s.walk
        assert await who_is(thief, s.app) is None


async def test_the_same_address_twice_is_refused_by_the_app_and_by_the_provider() -> None:
    async with scene() as s:
        ada = s.browser()
        callback = await s.callback(ada)
        kept = dict(ada.cookies)
        assert (await ada.open(callback)).code == 200
        assert (await ada.open(callback)).code == 403
        assert s.walk.count(BROUGHT) == 1
        # A browser that does not forget what it is told to forget.
        ada.cookies = kept
        assert (await ada.open(callback)).code == 403
        assert s.walk.count(BROUGHT) == 2


async def test_a_secret_that_was_changed_in_the_cookie_gives_a_wrong_signature() -> None:
    async with scene() as s:
        ada = s.browser()
        callback = await s.callback(ada)
        key, _, _ = ada.cookies["_oauth_request_token"].partition("|")
        ada.cookies["_oauth_request_token"] = f"{key}|{base64.b64encode(b'guess').decode()}"
        assert (await ada.open(callback)).code == 403
        assert BROUGHT in s.walk


async def test_an_address_that_nobody_was_sent_to_and_a_cookie_that_is_none() -> None:
    async with scene() as s:
        ada = s.browser()
        callback = await s.callback(ada)
        for query in (
            "",
            "?oauth_token=x",
            "?oauth_token=x&oauth_verifier=y",
            "?oauth_token=%ff",
        ):
            assert 400 <= (await ada.open(f"{s.app}/signed-in{query}")).code < 404
        assert (await ada.open(f"{callback}&oauth_token=x")).code == 400
        assert (await ada.open(changed(callback, oauth_verifier=""))).code == 403
        for cookie in ("x", "|", "x|y", "a|b|c", "é|é", "/w==|/w==", "YQ==", "YQ==|YQ"):
            ada.cookies["_oauth_request_token"] = cookie
            assert (await ada.open(callback)).code == 403, cookie
        assert BROUGHT not in s.walk


async def test_what_a_browser_brings_is_in_the_address_alone_and_of_a_length() -> None:
    async with scene() as s:
        ada = s.browser()
        callback = await s.callback(ada)
        cookies = "; ".join(f"{name}={value}" for name, value in ada.cookies.items())
        answer = await AsyncHTTPClient().fetch(
            callback,
            body="oauth_token=x",
            allow_nonstandard_methods=True,
            headers={"Cookie": cookies, "Content-Type": "application/x-www-form-urlencoded"},
            raise_error=False,
            request_timeout=PATIENCE,
        )
        assert answer.code == 400
        assert (await ada.open(changed(callback, oauth_verifier="!" * 9000))).code == 403
        assert BROUGHT not in s.walk


@pytest.mark.parametrize("verifier", ["$'[]\"", "é", "%", "!" * 1000])
async def test_a_verifier_may_have_any_letters_and_is_a_wrong_one(verifier: str) -> None:
    async with scene() as s:
        ada = s.browser()
        answer = await ada.open(changed(await s.callback(ada), oauth_verifier=verifier))
        assert answer.code == 403
        assert BROUGHT in s.walk


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 302),
        ("[::1]:8888", 302),
        ("[::1", 400),
        ("[x]", 400),
        ("", 400),
        (":80", 400),
        ("x:y", 400),
        ("$'", 400),
    ],
)
async def test_a_browser_is_at_some_address(host: str, status: int) -> None:
    async with scene() as s:
        answer = await AsyncHTTPClient().fetch(
            f"{s.app}/sign-in",
            headers={"Host": host},
            follow_redirects=False,
            raise_error=False,
            request_timeout=PATIENCE,
        )
        assert answer.code == status


async def test_who_says_no_at_the_provider_is_told_so() -> None:
    async with scene() as s:
        answer = await s.browser().sign_in(s.app, no="thanks")
        assert answer.code == 403
        assert "said no" in said(answer)["error"]
        # As Twitter said it.
        assert "said no" in said(await s.browser().open(f"{s.app}/signed-in?denied=x"))["error"]


class Signer(auth.OAuthMixin):
    """Signs questions as the mixin does, with any secret."""

    def __init__(self, secret: str, key: str = KEY) -> None:
        self.token = {"key": key, "secret": secret}

    def _oauth_consumer_token(self) -> dict[str, Any]:
        return self.token

    def signed(self, url: str, answer: bytes = b"", **parameters: str) -> str:
        """Sign a question, with the token in an answer if there is one."""
        got = dict(parse_qsl(answer.decode()))
        token = {"key": got.get("oauth_token", ""), "secret": got.get("oauth_token_secret", "")}
        arguments = self._oauth_request_parameters(url, token, parameters)
        return url_concat(url, {**parameters, **arguments})


@pytest.mark.parametrize("secret", [SECRET, "guess"])
async def test_a_signature_is_good_with_the_right_secret_and_once(secret: str) -> None:
    with twitter_provider() as provider:
        url = f"{provider}/oauth/request_token"
        question = Signer(secret).signed(url, oauth_callback="http://127.0.0.1/signed-in")
        first, again = await Browser().step(question), await Browser().step(question)
        altered = await Browser().step(changed(question, oauth_nonce="another"))
        if secret == SECRET:
            assert (first.code, again.code, altered.code) == (200, 401, 401)
            assert b"invalid_nonce" in again.body
            assert b"invalid_signature" in altered.body
        else:
            assert first.code == 401
            assert b"invalid_signature" in first.body


async def test_a_question_with_a_token_is_good_once() -> None:
    with twitter_provider() as provider:
        ada, ours = Browser(), Signer(SECRET)
        here = f"{provider}/signed-in"
        begun = await ada.step(
            ours.signed(f"{provider}/oauth/request_token", oauth_callback=here)
        )
        page = ours.signed(f"{provider}/oauth/authenticate", begun.body)
        back = arguments_of((await ada.step(page, user="ada")).headers["Location"])
        verifier = back["oauth_verifier"]
        brought = ours.signed(
            f"{provider}/oauth/access_token", begun.body, oauth_verifier=verifier
        )
        given = await ada.step(brought)
        who = ours.signed(f"{provider}/1.1/account/verify_credentials.json", given.body)
        assert said(await ada.step(who)) == {"screen_name": "ada"}
        again = await ada.step(who)
        assert again.code == 401 and b"invalid_nonce" in again.body


async def test_a_provider_refuses_what_is_no_question_of_ours() -> None:
    with twitter_provider() as provider:
        callback = "http://127.0.0.1/signed-in"
        url = f"{provider}/oauth/request_token"
        stranger = Signer(SECRET, key="stranger").signed(url, oauth_callback=callback)
        elsewhere = Signer(SECRET).signed(url, oauth_callback="here")
        old = changed(Signer(SECRET).signed(url, oauth_callback=callback), oauth_timestamp="1")
        for question in (
            url,
            stranger,
            elsewhere,
            old,
            f"{provider}/oauth/authenticate",
            f"{provider}/oauth/authenticate?oauth_token=x",
            f"{provider}/oauth/access_token",
            f"{provider}/1.1/account/verify_credentials.json",
            f"{provider}/nothing",
            f"{url}?user=%C3%A9",
            f"{url}?user=%zz",
            f"{url}?user='",
        ):
            assert 400 <= (await Browser().step(question)).code < 500, question
            assert 400 <= (await Browser().step(question, user="ada")).code < 500, question


# -- providers that fail -----------------------------------------------------------------------


TOKEN = says("oauth_token=t&oauth_token_secret=s")


def twitter_answers(**other: Answer) -> dict[str, Answer]:
    return {
        "/oauth/request_token": other.get("request_token", TOKEN),
        "/oauth/access_token": other.get("access_token", TOKEN),
        "/1.1/account/verify_credentials.json": other.get("who", says({"screen_name": "ada"})),
    }


async def tried(answers: Mapping[str, Answer], deadline: float) -> HTTPResponse:
    """Sign in where the provider says these things, as far as it goes."""
    async with (
        provider_that(answers) as provider,
        running(make_app(provider, deadline=deadline)) as app,
    ):
        browser = Browser()
        answer = await browser.step(f"{app}/sign-in")
        if answer.code == 302:
            back = {"oauth_token": "t", "oauth_verifier": "v"}
            answer = await browser.step(f"{app}/signed-in?{urlencode(back)}")
        assert (answer.code == 302) == ("user" in browser.cookies)
        return answer


async def test_a_provider_that_a_test_made_up_can_be_right() -> None:
    assert (await tried(twitter_answers(), PATIENCE)).code == 302


@pytest.mark.parametrize("where", ["request_token", "access_token", "who"])
@pytest.mark.parametrize("failure", FAILURES)
async def test_a_provider_that_fails(where: str, failure: str) -> None:
    how, status = FAILURES[failure]
    deadline = 0.5 if how is hangs else PATIENCE
    answer = await tried(twitter_answers(**{where: how}), deadline)
    assert answer.code == status
    assert "provider" in said(answer)["error"]
    assert "backend" not in said(answer)["error"]


@pytest.mark.parametrize(
    "who", ["null", "5", '"ada"', '{"screen_name": 5}', '{"screen_name": ""}', "{}"]
)
async def test_a_provider_that_names_nobody(who: str) -> None:
    assert (await tried(twitter_answers(who=says(who)), PATIENCE)).code == 502


@pytest.mark.parametrize("status", [400, 401])
async def test_a_refusal_is_our_fault_at_first_and_later_that_of_the_browser(
    status: int,
) -> None:
    no = says("no", status)
    assert (await tried(twitter_answers(request_token=no), PATIENCE)).code == 502
    assert (await tried(twitter_answers(access_token=no), PATIENCE)).code == 403


async def test_a_provider_that_is_down() -> None:
    with twitter_provider() as provider:
        pass
    async with running(make_app(provider, deadline=PATIENCE)) as app:
        answer = await Browser().open(f"{app}/sign-in")
        assert answer.code == 502
        assert "could not be reached" in said(answer)["error"]


# -- what holds besides ------------------------------------------------------------------------


async def test_nothing_secret_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with scene() as s:
        ada = s.browser()
        callback = await s.callback(ada)
        attempt = dict(ada.cookies)
        await ada.open(callback)
        ada.cookies = attempt
        assert (await ada.open(callback)).code == 403
    assert "GET /signed-in" in caplog.text
    for secret in (*arguments_of(callback).values(), *attempt.values(), SECRET):
        assert secret not in caplog.text


async def test_a_provider_that_blocks_holds_nobody_up() -> None:
    knocked, gate = threading.Event(), threading.Event()

    def heard(line: str) -> None:
        knocked.set()
        assert gate.wait(PATIENCE)

    with twitter_provider(heard) as provider:
        async with running(make_app(provider, deadline=PATIENCE)) as app:
            signing_in = asyncio.ensure_future(Browser().step(f"{app}/sign-in"))
            await asyncio.to_thread(knocked.wait, PATIENCE)
            assert await who_is(Browser(), app) is None
            assert not signing_in.done()
            gate.set()
            assert (await signing_in).code == 302


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
async def test_it_runs_as_a_program() -> None:
    command = [sys.executable, "-m", "stormy_demo.batteries.twitter", "--port=0"]
    with quick_start.Popen(
        [*command, "--deadline=99"], stdout=subprocess.PIPE, text=True
    ) as program:
        assert program.stdout
        app = program.stdout.readline().split()[2]
        assert said(await Browser().sign_in(app, user="ada")) == {"user": "ada"}
        program.send_signal(signal.SIGTERM)
        assert program.stdout.read() == "stopped\n"
    assert program.returncode == 0


@pytest.fixture(scope="module")
def strange_server() -> Any:
    with bad_clients.serving(lambda: running(make_app(deadline=PATIENCE))) as server:
        yield server


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_whatever_a_client_sends(data: st.DataObject, strange_server: Any) -> None:
    paths = ["/", "/sign-in", "/signed-in", "/sign-out"]
    requests = bad_clients.http_requests(paths, ["oauth_token", "oauth_verifier", "denied"])
    strange_server.survives(data.draw(bad_clients.visits(requests)))


@pytest.fixture(scope="module")
def strange_provider() -> Any:
    with twitter_provider() as url:
        yield url


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_whatever_a_client_sends_to_the_provider(
    data: st.DataObject, strange_provider: Any
) -> None:
    paths = ["/oauth/request_token", "/oauth/authenticate", "/oauth/access_token"]
    arguments = ["oauth_token", "oauth_consumer_key", "user"]
    provider_survives(data, strange_provider, paths, arguments)
