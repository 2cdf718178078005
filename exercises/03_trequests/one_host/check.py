"""A session of your own that waits politely for one host."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import requests
from requests.adapters import HTTPAdapter
from tornado.web import Application, RequestHandler

from classroom.examining.case import Case
from classroom.examining.kinds import code_exercise
from classroom.examining.mistakes import HARD_CODED
from classroom.examining.rendering import answers_in_words, shown
from classroom.examining.verdict import Mistake
from loopfilm import Answer, Film
from stormy_demo.backend import Backend
from tornalet import tornalet

from ..answering import answering
from ..polite.check import is_plain

HOST = "http://127.0.0.1:4012"
LONGER = "http://127.0.0.1:40123"
OTHERS = ("http://127.0.0.1:8888", "http://example.org", "https://example.org")

EVERY_SESSION = Mistake(
    "every_session",
    "a setup for every session of the process",
    (
        "Whom did you tell `setup_session` to change? With no session it changes the process.",
        "Make the session first, and hand it over: `setup_session(session, ...)`.",
    ),
)
ALL_HOSTS = Mistake(
    "all_hosts",
    "a session that waits politely for everybody",
    (
        "You said which session. Did you say for which addresses?",
        "The second argument, `mounts`, says where it is: the host, and a slash.",
    ),
)
PART_OF_HOST = Mistake(
    "part_of_host",
    "a mount for a part of the host",
    (
        "A mount is the beginning of an address. Do all addresses of the host begin like this?",
        "All of them begin with the host and a slash, and with nothing more.",
    ),
)
NO_SLASH = Mistake(
    "no_slash",
    "a mount that is the beginning of another host's address as well",
    (
        "A mount is compared letter by letter. Which other addresses begin with these letters?",
        "A slash behind the host ends it: `host + '/'`.",
    ),
)
BLOCK_ENDED = Mistake(
    "block_ended",
    "a setup that is undone before the session is used",
    (
        "The setup stays until the end of its block, or until `close()`. When is that, and "
        "when is the session used?",
        "Call `setup_session` without `with`: then it stays.",
    ),
)
RETURNS_UNDO = Mistake(
    "returns_undo",
    "the thing that undoes the setup, in the place of the session",
    (
        "What does `setup_session` return? Nobody can say `get` to it.",
        "Keep the session in a name of its own, and return that.",
    ),
)
OTHER_SESSION = Mistake(
    "other_session",
    "one session set up, and another returned",
    (
        "Each `requests.Session()` is a new one. How many do you make?",
        "Make it once, give it a name, set it up, and return it.",
    ),
)
NOT_SET_UP = Mistake(
    "not_set_up",
    "a session that nobody has set up",
    (
        "What waits underneath your session, when it is asked about the host?",
        '`setup_session(session, host + "/")` puts a polite adapter there.',
    ),
)
NOTHING_RETURNED = Mistake(
    "nothing_returned",
    "a session that nobody returns",
    (
        "What does a function give when it comes to its end without a `return`?",
        "`return session`.",
    ),
)
NOT_PLAIN = Mistake(
    "not_plain",
    "a function of which nothing is run",
    (
        "`make_session` is called as a plain function. What do you get from a call of an "
        "`async def`, or of a function with `yield` in it?",
        "Leave it a plain `def` without `yield`: to make a session waits for nothing.",
    ),
)
SHARED = Mistake(
    "shared",
    "one session for all who call the function",
    (
        "The function is called a second time, with another host. What is left from the first?",
        "Make the session inside of `make_session`, anew in each call.",
    ),
)


@code_exercise(
    (
        "Three steps: make a session, set it up, return it.",
        "`setup_session` takes the session, and where to mount the adapter.",
        "Where: at the host, but not at another that begins with the same letters.",
    ),
    EVERY_SESSION,
    ALL_HOSTS,
    NO_SLASH,
    PART_OF_HOST,
    BLOCK_ENDED,
    RETURNS_UNDO,
    OTHER_SESSION,
    HARD_CODED,
    NOT_PLAIN,
    NOT_SET_UP,
    NOTHING_RETURNED,
    SHARED,
    another_way=(
        'Another right way: `session.mount(host + "/", TornadoAdapter())`, which is what '
        "`setup_session` does."
    ),
    known_by="mount",
    instead=(
        'Another right way: `setup_session(session, host + "/")`, which mounts one for you, '
        "and takes it away at the end of a `with` block."
    ),
)
async def one_host(case: Case) -> None:
    """Look at what the session is for each of some hosts, then have two people use it."""
    make_session = case.function("make_session")

    case.tries(f'`make_session("{HOST}")` is called.')
    with _mounts() as mounts:
        first = session = _session(case, make_session, HOST)

    case.tries("another session is made, with `requests.Session()`.")
    other = requests.Session()
    for url in (HOST, *OTHERS):
        if not is_plain(other, f"{url}/"):
            got = f"it has another adapter for {url}/"
            case.refuse(EVERY_SESSION, "it is what `requests` makes of it", got)

    for url in (*OTHERS, LONGER):
        case.tries(f"your session is asked for its adapter for {url}/profile")
        if not is_plain(session, f"{url}/profile"):
            # What stands for another port only is a mount without its end.
            everywhere = not is_plain(session, f"{OTHERS[2]}/")
            mistake = ALL_HOSTS if everywhere else NO_SLASH
            case.refuse(mistake, "the adapter of `requests`", "another one")

    case.tries(f"your session is asked for its adapter for {HOST}/anything")
    if is_plain(session, f"{HOST}/profile") != is_plain(session, f"{HOST}/anything"):
        got = "the adapter of `requests`, and another one only for a part of the host"
        case.refuse(PART_OF_HOST, "a polite adapter, for all of the host", got)

    case.tries("two people come to a handler with `@tornalet` that uses your session.")
    expected = "their questions wait at the host together, and both get an answer"
    backend = Backend(hold=True)
    async with answering(backend, 2) as url:
        session = _session(case, make_session, url)
        if is_plain(session, f"{url}/") and not is_plain(first, f"{HOST}/"):
            got = f"for {HOST} it has a polite adapter, and for another host it has none"
            case.refuse(HARD_CODED, "the host is the one that is given", got)
        if session is first:
            got = "the same one, which is polite for both"
            case.refuse(SHARED, "another session for another host", got)
        film = await case.visits(_app(url, session), ["/?user=ada", "/?user=grace"])
    names = ["Ada Lovelace", "Grace Hopper"]
    if film.answers != [Answer(200, {"profile": name}) for name in names] or backend.most < 2:
        _why_not_polite(case, first, mounts, film, expected)


def _session(case: Case, make_session: Callable[..., Any], host: str) -> requests.Session:
    """Have the learner's function make a session, and refuse what is not one."""
    found = make_session(host)
    if not isinstance(found, requests.Session):
        # For example the `ExitStack` that `setup_session` returns.
        if found is None:
            case.refuse(NOTHING_RETURNED, "a session", shown(found))
        if inspect.isawaitable(found) or inspect.isgenerator(found):
            case.refuse(NOT_PLAIN, "a session", shown(found))
        undo = hasattr(found, "__exit__")
        case.refuse(RETURNS_UNDO if undo else None, "a session", shown(found))
    return found


def _app(host: str, session: requests.Session) -> Application:
    class Profile(RequestHandler):
        @tornalet
        def get(self) -> None:
            user = self.get_argument("user")
            self.write(session.get(f"{host}/profile", params={"user": user}, timeout=5).json())

    return Application([(r"/", Profile)])


Mounts = list[tuple[requests.Session, str]]


@contextmanager
def _mounts() -> Iterator[Mounts]:
    """Note what is mounted on which session, but for what each has from its birth."""
    noted: Mounts = []
    original = requests.Session.mount

    def mount(self: requests.Session, prefix: Any, adapter: Any) -> None:
        original(self, prefix, adapter)
        if type(adapter) is not HTTPAdapter:
            noted.append((self, prefix))

    cls: Any = requests.Session
    cls.mount = mount
    try:
        yield noted
    finally:
        cls.mount = original


def _why_not_polite(
    case: Case, first: requests.Session, mounts: Mounts, film: Film, expected: str
) -> NoReturn:
    if case.held(film):
        got = "they waited one after the other, and the loop was held"
        covered = [each for each, prefix in mounts if f"{HOST}/".startswith(prefix)]
        parts = any(prefix.startswith(f"{HOST}/") for _, prefix in mounts)
        mistake = PART_OF_HOST if parts else NOT_SET_UP
        if covered:
            mistake = BLOCK_ENDED if any(each is first for each in covered) else OTHER_SESSION
        case.refuse(mistake, expected, got, film)
    case.refuse_if_anything_went_wrong(expected)
    case.refuse(None, expected, answers_in_words(film.answers), film)
