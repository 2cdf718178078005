"""Signing in at an OpenID provider, by those who may, and by those who may not."""

from __future__ import annotations

import asyncio
import logging
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jwk
from tornado.escape import json_decode, url_unescape
from tornado.httpclient import AsyncHTTPClient, HTTPResponse
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import create_signed_value

from loopfilm import LOCALHOST, running
from stormy_demo.agreed import NotUnderstood
from stormy_demo.batteries.counterparts.browser import Browser, arguments_of, changed
from stormy_demo.batteries.counterparts.providers import KEY, SECRET, openid_provider
from stormy_demo.batteries.id_token import claims_of
from stormy_demo.batteries.openid import make_app
from stormy_demo.batteries.pkce import challenge_of
from tests import bad_clients, quick_start

from .bad_providers import (
    FAILURES,
    RSA,
    Answer,
    Claims,
    gives,
    hangs,
    hosts_in,
    openid_answers,
    provider_survives,
    provider_that,
    says,
    slowly,
)

pytestmark = [
    pytest.mark.usefixtures("no_noise", "no_proxies"),
    # The provider is a little older than its Authlib.
    pytest.mark.filterwarnings("ignore:get_jwt_config:DeprecationWarning"),
]

PATIENCE = 500.0


@dataclass
class Scene:
    """An application, the provider that it asks, and who asked whom for what."""

    app: str
    provider: str
    walk: list[str] = field(default_factory=list)

    def browser(self) -> Browser:
        return Browser(self.walk.append, app=self.app)

    async def callback(self, browser: Browser, sub: str = "ada") -> str:
        return await browser.callback(self.app, sub=sub)

    @property
    def code_was_brought(self) -> bool:
        return "app → provider: POST /oauth2/token" in self.walk


@asynccontextmanager
async def scene(pkce: bool = True) -> AsyncIterator[Scene]:
    walk: list[str] = []
    with openid_provider(walk.append, pkce=pkce) as provider:
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
        assert said(await ada.sign_in(s.app, sub="ada")) == {"user": "ada"}
        assert s.walk == [
            "browser → app: GET /sign-in",
            "app → provider: GET /.well-known/openid-configuration",
            "browser → provider: GET /oauth2/authorize",
            "browser → provider: POST /oauth2/authorize",
            "browser → app: GET /signed-in",
            "app → provider: GET /.well-known/openid-configuration",
            "app → provider: POST /oauth2/token",
            "app → provider: GET /jwks",
            "browser → app: GET /",
        ]


async def test_the_verifier_and_the_secret_are_in_no_address() -> None:
    async with scene() as s:
        page = await s.browser().open(f"{s.app}/sign-in")
        question = arguments_of(page.effective_url)
        assert question["code_challenge_method"] == "S256"
        assert len({question[name] for name in ("state", "nonce", "code_challenge")}) == 3
        assert SECRET not in url_unescape(page.effective_url)
        assert "code_verifier" not in question


def test_a_challenge_is_the_one_of_rfc_7636() -> None:
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert challenge_of(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


async def test_each_attempt_has_secrets_of_its_own() -> None:
    async with scene() as s:
        ada = s.browser()
        first = arguments_of((await ada.step(f"{s.app}/sign-in")).headers["Location"])
        second = arguments_of((await ada.step(f"{s.app}/sign-in")).headers["Location"])
        for name in ("state", "nonce", "code_challenge"):
            assert first[name] != second[name]


async def test_the_user_is_in_a_signed_cookie_that_no_script_reads() -> None:
    async with scene() as s:
        ada = s.browser()
        answer = await ada.step(await s.callback(ada))
        [cookie] = [c for c in answer.headers.get_list("Set-Cookie") if c.startswith("user=")]
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        # It ends with the browser.
        assert "expires" not in cookie.lower()
        value = ada.cookies["user"]
        grace = value.replace("YWRh", "Z3JhY2U=")
        assert grace != value
        for forged in (grace, value[:-1], value + "0", "ada", ""):
            ada.cookies["user"] = forged
            assert await who_is(ada, s.app) is None
        ada.cookies["user"] = value
        assert await who_is(ada, s.app) == "ada"


async def test_a_name_is_good_for_a_day_and_as_it_is_signed_today() -> None:
    # Of a provider that nobody asks.
    app = make_app("http://127.0.0.1:1")
    async with running(app) as address:
        for hours, version, name in ((23, 2, "ada"), (25, 2, None), (0, 1, None)):
            ada, then = Browser(), time.time() - hours * 3600
            ada.cookies["user"] = create_signed_value(
                app.settings["cookie_secret"],
                "user",
                "ada",
                version=version,
                clock=lambda then=then: then,
            ).decode()
            assert await who_is(ada, address) == name, (hours, version)


async def test_an_address_of_a_provider_may_end_with_a_slash() -> None:
    with openid_provider() as provider:
        async with running(make_app(f"{provider}/", deadline=PATIENCE)) as app:
            assert said(await Browser().sign_in(app, sub="ada")) == {"user": "ada"}


async def test_who_signs_out_is_nobody_and_no_other_site_can_do_that_for_them() -> None:
    async with scene() as s:
        ada = s.browser()
        await ada.sign_in(s.app, sub="ada")
        cookies = "; ".join(f"{name}={value}" for name, value in ada.cookies.items())
        for headers in (
            {"Origin": "http://elsewhere.example"},
            {"Sec-Fetch-Site": "same-site"},
        ):
            answer = await AsyncHTTPClient().fetch(
                f"{s.app}/sign-out",
                method="POST",
                body="really=yes",
                headers={"Cookie": cookies, **headers},
                raise_error=False,
                request_timeout=PATIENCE,
            )
            assert answer.code == 403
            assert not answer.headers.get_list("Set-Cookie")
        assert (await ada.open(f"{s.app}/sign-out")).code == 405
        assert await who_is(ada, s.app) == "ada"
        assert said(await ada.open(f"{s.app}/sign-out", really="yes")) == {"user": None}


@pytest.mark.parametrize("protocol", ["http", "https"])
async def test_all_cookies_are_for_tls_alone_if_that_is_how_they_are_given(
    protocol: str,
) -> None:
    app = make_app(deadline=PATIENCE)
    server = HTTPServer(app, xheaders=True)
    server.add_sockets(sockets := bind_sockets(0, LOCALHOST))
    address = f"http://{LOCALHOST}:{sockets[0].getsockname()[1]}/sign-in"
    with app.settings["while_running"]():
        try:
            answer = await AsyncHTTPClient().fetch(
                address,
                # As a proxy says it, which does the TLS.
                headers={"X-Forwarded-Proto": protocol},
                follow_redirects=False,
                raise_error=False,
                request_timeout=PATIENCE,
            )
        finally:
            server.stop()
            await server.close_all_connections()
    assert answer.code == 302
    assert arguments_of(answer.headers["Location"])["redirect_uri"].startswith(f"{protocol}:")
    [cookie] = answer.headers.get_list("Set-Cookie")
    assert cookie.startswith("attempt=") and "expires=" in cookie
    assert ("Secure" in cookie) == (protocol == "https")


async def test_an_application_starts_a_provider_of_its_own_and_ends_it() -> None:
    before = threading.active_count()
    async with running(make_app(deadline=PATIENCE)) as app:
        assert said(await Browser().sign_in(app, sub="ada")) == {"user": "ada"}
    assert threading.active_count() == before


# -- those who may not -------------------------------------------------------------------------


async def test_a_state_that_is_wrong_or_missing_is_refused_by_the_app() -> None:
    async with scene() as s:
        for state in ("", "x", "ü" * 43):
            ada = s.browser()
            answer = await ada.open(changed(await s.callback(ada), state=state))
            assert answer.code == 403
            assert "/sign-in" in said(answer)["error"]
            assert await who_is(ada, s.app) is None
        assert not s.code_was_brought


async def test_a_wrong_state_does_not_spoil_the_right_one() -> None:
    async with scene() as s:
        ada = s.browser()
        callback = await s.callback(ada)
        await ada.open(changed(callback, state="x"))
        assert said(await ada.open(callback)) == {"user": "ada"}


async def test_the_right_address_in_another_browser_is_refused_by_the_app() -> None:
    async with scene() as s:
        callback = await s.callback(s.browser())
        thief = s.browser()
        assert (await thief.open(callback)).code == 403
        await thief.open(f"{s.app}/sign-in")
        assert (await thief.open(callback)).code == 403
        assert await who_is(thief, s.app) is None
        assert not s.code_was_brought


async def test_a_stolen_code_in_an_attempt_of_the_thief_is_refused_by_the_provider() -> None:
    async with scene() as s:
        stolen = arguments_of(await s.callback(s.browser()))["code"]
        thief = s.browser()
        answer = await thief.open(changed(await s.callback(thief, "mallory"), code=stolen))
        assert answer.code == 403
        assert "takes this code no more" in said(answer)["error"]
        assert s.code_was_brought
        assert await who_is(thief, s.app) is None


async def test_where_the_provider_knows_no_pkce_the_nonce_stops_a_stolen_code() -> None:
    async with scene(pkce=False) as s:
        stolen = arguments_of(await s.callback(s.browser()))["code"]
        thief = s.browser()
        answer = await thief.open(changed(await s.callback(thief, "mallory"), code=stolen))
        assert answer.code == 403
        assert "no answer to this attempt" in said(answer)["error"]
        assert await who_is(thief, s.app) is None


async def test_an_address_that_is_opened_twice_is_refused_by_the_app() -> None:
    async with scene() as s:
        ada = s.browser()
        callback = await s.callback(ada)
        assert (await ada.open(callback)).code == 200
        s.walk.clear()
        assert (await ada.open(callback)).code == 403
        assert not s.code_was_brought


async def test_a_code_that_is_brought_twice_is_refused_by_the_provider() -> None:
    async with scene() as s:
        ada = s.browser()
        callback = await s.callback(ada)
        kept = dict(ada.cookies)
        assert (await ada.open(callback)).code == 200
        # A browser that does not forget what it is told to forget.
        ada.cookies = kept
        assert (await ada.open(callback)).code == 403
        assert s.walk.count("app → provider: POST /oauth2/token") == 2


async def test_who_takes_a_code_to_the_provider_must_be_all_that_we_are() -> None:
    async with scene() as s:
        thief = Browser()
        verifier = "v" * 43
        question = {
            "client_id": KEY,
            "redirect_uri": f"{s.app}/signed-in",
            "response_type": "code",
            "scope": "openid",
            "code_challenge": challenge_of(verifier),
            "code_challenge_method": "S256",
        }
        right = {
            "grant_type": "authorization_code",
            "redirect_uri": question["redirect_uri"],
            "client_id": KEY,
            "client_secret": "x",
            "code_verifier": verifier,
        }
        for name, value, status in (
            ("client_id", KEY, 200),
            ("client_id", "another", 400),
            ("code_verifier", "", 400),
            ("code_verifier", "x" * 43, 400),
            ("redirect_uri", "http://127.0.0.1:1/signed-in", 400),
        ):
            authorize = f"{s.provider}/oauth2/authorize?{urlencode(question)}"
            answer = await thief.step(authorize, sub="ada")
            code = arguments_of(answer.headers["Location"])["code"]
            brought = {**right, "code": code, name: value}
            answer = await thief.step(f"{s.provider}/oauth2/token", **brought)
            assert answer.code == status, (name, value)
            if name == "code_verifier":
                # Who has guessed has no second guess.
                answer = await thief.step(f"{s.provider}/oauth2/token", **right, code=code)
                assert answer.code == 400


async def test_a_challenge_that_is_not_hashed_is_refused_by_the_provider() -> None:
    async with scene() as s:
        page = await s.browser().open(f"{s.app}/sign-in")
        for method in ("plain", ""):
            address = changed(page.effective_url, code_challenge_method=method)
            assert (await s.browser().open(address)).code == 400


async def test_who_takes_the_challenge_out_of_the_question_gains_nothing() -> None:
    async with scene() as s:
        ada = s.browser()
        page = await ada.open(f"{s.app}/sign-in")
        bare = changed(page.effective_url, code_challenge="", code_challenge_method="")
        assert (await ada.open(bare, sub="ada")).code == 403


async def test_who_says_no_at_the_provider_is_told_so() -> None:
    async with scene() as s:
        answer = await s.browser().sign_in(s.app, action="deny")
        assert (answer.code, said(answer)) == (403, {"error": "You said no."})


async def test_an_address_that_nobody_was_sent_to() -> None:
    async with scene() as s:
        for query, status in {
            "": 400,
            "?state=x": 400,
            "?code=x&state=x": 403,
            "?code=x&code=y&state=x": 400,
            "?code=%ff&state=x": 400,
            "?error=server_error&state=x": 403,
            "?error=%3Cscript%3E": 403,
        }.items():
            answer = await s.browser().open(f"{s.app}/signed-in{query}")
            assert answer.code == status, query
            assert " " in said(answer)["error"]
            assert b"script" not in answer.body


async def test_an_attempt_is_over_after_ten_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    async with scene() as s:
        ada = s.browser()
        callback = await s.callback(ada)
        now = time.time()
        monkeypatch.setattr("tornado.web.time.time", lambda: now + 660)
        assert (await ada.open(callback)).code == 403
        assert not s.code_was_brought


# -- providers that fail -----------------------------------------------------------------------


async def tried(answers: dict[str, Answer], deadline: float) -> HTTPResponse:
    """Sign in where the provider says these things, as far as it goes."""
    async with (
        provider_that(answers) as provider,
        running(make_app(provider, deadline=deadline)) as app,
    ):
        browser = Browser()
        answer = await browser.step(f"{app}/sign-in")
        if answer.code == 302:
            question = arguments_of(answer.headers["Location"])
            back = {"code": question["nonce"], "state": question["state"]}
            answer = await browser.step(f"{app}/signed-in?{urlencode(back)}")
        assert (answer.code == 302) == ("user" in browser.cookies)
        return answer


async def test_a_provider_that_a_test_made_up_can_be_right() -> None:
    assert (await tried(openid_answers(), PATIENCE)).code == 302


async def test_a_provider_that_has_too_much_to_say_is_refused() -> None:
    for length, status in ((20_000, 302), (100_000, 502)):
        token = gives(Claims({}), more="x" * length)
        assert (await tried(openid_answers(token=token), PATIENCE)).code == status


@pytest.mark.parametrize("where", ["configuration", "token", "keys"])
@pytest.mark.parametrize("failure", FAILURES)
async def test_a_provider_that_fails(where: str, failure: str) -> None:
    how, status = FAILURES[failure]
    # What hangs does so for ever, whatever the deadline; all else has its time.
    deadline = 0.5 if how is hangs else PATIENCE
    answer = await tried(openid_answers(**{where: how}), deadline)
    assert answer.code == status
    assert "provider" in said(answer)["error"]
    assert "backend" not in said(answer)["error"]


async def test_all_questions_together_have_the_deadline() -> None:
    answers = openid_answers()
    slow = {path: slowly(answer, 0.4) for path, answer in answers.items()}
    assert (await tried(slow, 1.0)).code == 504


async def test_a_provider_that_is_down() -> None:
    with openid_provider() as provider:
        pass
    async with running(make_app(provider, deadline=PATIENCE)) as app:
        answer = await Browser().open(f"{app}/sign-in")
        assert answer.code == 502
        assert "could not be reached" in said(answer)["error"]


@pytest.mark.parametrize(
    "changes",
    [
        {"issuer": "http://elsewhere.example"},
        {"issuer": None},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": "http://x/\r\nSet-Cookie: a=b"},
        {"authorization_endpoint": "http://[x"},
        {"authorization_endpoint": "/here"},
        {"token_endpoint": 5},
        {"jwks_uri": ["http://127.0.0.1"]},
    ],
    ids=str,
)
async def test_a_provider_whose_addresses_are_none(changes: dict[str, Any]) -> None:
    def configuration(handler: Any) -> None:
        here = f"http://{handler.request.host}"
        names = ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri")
        handler.write({**dict.fromkeys(names, here), **changes})

    answer = await tried(openid_answers(configuration=configuration), PATIENCE)
    assert answer.code == 502
    assert answer.effective_url.endswith("/sign-in")


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        (Claims({}), 302),
        (Claims({"aud": [KEY]}), 302),
        (Claims({"aud": "another"}), 502),
        (Claims({"aud": [KEY, "another"]}), 502),
        (Claims({"aud": None}), 502),
        (Claims({"iss": "http://elsewhere.example"}), 502),
        (Claims({"exp": 1}), 502),
        (Claims({"exp": None}), 502),
        (Claims({"iat": 99_999_999_999}), 502),
        (Claims({"iat": None}), 502),
        (Claims({"nonce": "another"}), 403),
        (Claims({"nonce": None}), 403),
        (Claims({"sub": None}), 502),
        (Claims({"sub": ""}), 502),
        (Claims({"sub": "a" * 256}), 502),
        (Claims({"sub": "a\nb"}), 502),
        (Claims({}, key=jwk.RSAKey.generate_key(2048)), 502),
        (Claims({}, alg="none", key=RSA), 502),
        # Signed with what everybody knows of the key, by a method for which that is a secret.
        (Claims({}, alg="HS256", key=jwk.OctKey.import_key(str(RSA.as_dict()["n"]))), 502),
    ],
    ids=lambda value: str(getattr(value, "changes", value)) + getattr(value, "alg", ""),
)
@pytest.mark.filterwarnings("ignore:JWS algorithm")
async def test_an_id_token_is_believed_when_all_of_it_is_right(
    claims: Claims, status: int
) -> None:
    answer = await tried(openid_answers(token=gives(claims)), PATIENCE)
    assert answer.code == status


@pytest.mark.parametrize("name", ["Zoë", "李", " ada ", "é" * 255, "\U0001f600" * 255])
async def test_a_name_is_of_any_letters_that_can_be_printed(name: str) -> None:
    async with scene() as s:
        assert said(await s.browser().sign_in(s.app, sub=name)) == {"user": name.strip()}


@pytest.mark.parametrize("name", [" ", "a" * 256, "a\nb", "a\0b", "\u202eada"])
async def test_a_name_that_is_not_taken_is_refused_in_a_sentence(name: str) -> None:
    answer = await tried(openid_answers(token=gives(Claims({"sub": name}))), PATIENCE)
    assert answer.code == 502
    assert "a name that is not taken" in said(answer)["error"]


async def test_two_clocks_may_differ_by_a_minute() -> None:
    now = int(time.time())
    for changes, status in (({"iat": now + 50}, 302), ({"exp": now - 120}, 502)):
        answers = openid_answers(token=gives(Claims(changes)))
        assert (await tried(answers, PATIENCE)).code == status


async def test_keys_of_other_kinds_are_passed_over() -> None:
    right = RSA.as_dict(private=False)
    for other in ({"kty": "AKP", "alg": "ML-DSA-44", "pub": "x"}, {"kty": "oct", "k": "x"}):
        for keys in ([other, right], [right, other]):
            answers = openid_answers(keys=says({"keys": keys}))
            assert (await tried(answers, PATIENCE)).code == 302


@pytest.mark.parametrize(
    ("token", "status"),
    [
        (says({"error": "invalid_grant"}, 400), 403),
        (says({"error": "invalid_client"}, 401), 502),
        (says({"error": "server_error"}, 400), 502),
        (says("no", 400), 502),
        (says({"id_token": None}), 502),
        (says({"id_token": "a.b.c"}), 502),
        (says({"id_token": {"sub": "ada"}}), 502),
    ],
)
async def test_what_a_token_endpoint_may_say(token: Answer, status: int) -> None:
    assert (await tried(openid_answers(token=token), PATIENCE)).code == status


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inside: (
        st.lists(inside, max_size=3)
        | st.dictionaries(
            st.sampled_from(["kty", "kid", "n", "e", "k", "crv", "x", "use", "alg", "keys"]),
            inside | st.sampled_from(["RSA", "EC", "oct", "P-256", "AQAB", "sig"]),
            max_size=5,
        )
    ),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(token=JSON, keys=JSON)
def test_nonsense_is_no_id_token_and_no_key(token: Any, keys: Any) -> None:
    right = Claims({}).token("http://here", "n")
    for one, other in ((token, [RSA.as_dict(private=False)]), (right, keys)):
        with pytest.raises(NotUnderstood):
            claims_of(one, other, issuer="http://here", client=KEY)


# -- what holds besides ------------------------------------------------------------------------


async def test_nothing_secret_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with scene() as s:
        ada = s.browser()
        callback = await s.callback(ada)
        attempt = dict(ada.cookies)
        await ada.open(changed(callback, state="x"))
        await ada.open(callback)
        ada.cookies = attempt
        assert (await ada.open(callback)).code == 403
    assert "GET /signed-in" in caplog.text
    for secret in (*arguments_of(callback).values(), *attempt.values(), SECRET, "token'"):
        assert secret not in caplog.text


async def test_a_provider_that_blocks_holds_nobody_up() -> None:
    knocked, gate = threading.Event(), threading.Event()

    def heard(line: str) -> None:
        knocked.set()
        assert gate.wait(PATIENCE)

    with openid_provider(heard) as provider:
        async with running(make_app(provider, deadline=PATIENCE)) as app:
            signing_in = asyncio.ensure_future(Browser().step(f"{app}/sign-in"))
            await asyncio.to_thread(knocked.wait, PATIENCE)
            assert await who_is(Browser(), app) is None
            assert not signing_in.done()
            gate.set()
            assert (await signing_in).code == 302


def test_a_provider_leaves_nothing_behind(open_descriptors: Callable[[], int]) -> None:
    with openid_provider():
        pass
    threads, descriptors = threading.active_count(), open_descriptors()
    with openid_provider() as provider:
        # Half a question, and no more.
        half_open = bad_clients.connect(provider)
        half_open.sendall(b"GET / HTTP/1.1\r\n")
        with bad_clients.connect(provider) as other:
            other.sendall(b"GET /jwks HTTP/1.0\r\n\r\n")
            assert bad_clients.statuses(bad_clients.read_to_the_end(other)) == [200]
    assert bad_clients.read_to_the_end(half_open) == b""
    half_open.close()
    assert (threading.active_count(), open_descriptors()) == (threads, descriptors)


@pytest.mark.parametrize("deadline", [0, -1, float("nan"), 1e9])
def test_a_deadline_that_is_none(deadline: float) -> None:
    with pytest.raises(ValueError, match="deadline must be"):
        make_app(deadline=deadline)


@pytest.mark.parametrize("provider", ["here", "ftp://x", "http://", "http://a b", "http://[x"])
def test_an_address_that_is_none(provider: str) -> None:
    with pytest.raises(ValueError, match="provider must be an address"):
        make_app(provider)


@pytest.mark.parametrize("part", ["flask", "cryptography"])
def test_what_is_missing_is_named(part: str) -> None:
    script = f"import sys; sys.modules[{part!r}] = None; import stormy_demo.batteries.openid"
    done = quick_start.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 1
    [*_, last] = done.stderr.strip().splitlines()
    assert last.startswith("ImportError: Signing in needs authlib, flask and")
    assert f" {part}" in last
    assert "pip install" in last


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
async def test_it_runs_as_a_program() -> None:
    command = [
        sys.executable,
        "-m",
        "stormy_demo.batteries.openid",
        "--port=0",
        "--deadline=99",
    ]
    with quick_start.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout
        app = program.stdout.readline().split()[2]
        assert said(await Browser().sign_in(app, sub="ada")) == {"user": "ada"}
        program.send_signal(signal.SIGTERM)
        assert program.stdout.read() == "stopped\n"
    assert program.returncode == 0


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_whatever_a_client_sends(data: st.DataObject, strange_server: Any) -> None:
    paths = ["/", "/sign-in", "/signed-in", "/sign-out"]
    requests = bad_clients.http_requests(paths, ["code", "state", "error"])
    strange_server.survives(data.draw(bad_clients.visits(requests)))


@pytest.fixture(scope="module")
def strange_server() -> Any:
    with bad_clients.serving(lambda: running(make_app(deadline=PATIENCE))) as server:
        yield server


@pytest.fixture(scope="module")
def strange_provider() -> Any:
    with openid_provider() as url:
        yield url


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_whatever_a_client_sends_to_the_provider(
    data: st.DataObject, strange_provider: Any
) -> None:
    paths = ["/oauth2/authorize", "/oauth2/token", "/userinfo"]
    arguments = ["client_id", "code", "code_challenge", "sub"]
    provider_survives(data, strange_provider, paths, arguments)


async def test_a_provider_has_no_debugger_in_front() -> None:
    with openid_provider() as provider:
        question = urlencode({"__debugger__": "yes", "cmd": "resource", "f": "style.css"})
        assert "keys" in said(await Browser().step(f"{provider}/jwks?{question}"))


async def test_no_page_of_a_provider_has_anything_from_another_host() -> None:
    async with scene() as s:
        ada = s.browser()
        pages = [await ada.open(f"{s.app}/sign-in")]
        for path in ("/", "/nowhere", "/oauth2/authorize", "/oauth2/end_session"):
            pages.append(await ada.open(s.provider + path))
        for page in pages:
            assert page.headers["Content-Type"].startswith("text/html")
            assert hosts_in(page.body) <= {LOCALHOST}, page.effective_url


async def test_a_provider_that_is_called_by_another_name_does_not_answer() -> None:
    # As in a browser that somebody else's name server has sent to this machine.
    with openid_provider() as provider:
        address = provider.replace("127.0.0.1", "localhost")
        assert (await Browser().step(f"{provider}/jwks")).code == 200
        assert (await Browser().step(f"{address}/jwks")).code == 400
