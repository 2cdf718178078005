"""A browser of one screen: it keeps cookies, follows redirects, and fills in a form.

Those who attack are browsers, too; a test, and a lesson, have one for each person.
"""

from __future__ import annotations

from collections.abc import Callable
from http.cookies import SimpleCookie
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

from tornado.httpclient import AsyncHTTPClient, HTTPResponse
from tornado.httputil import url_concat

MOST_REDIRECTS = 10
SECONDS = 600  # for an answer, on the busiest machine


class Browser:
    """A browser for servers on one host, which share its cookies, as those on all ports do.

    Args:
        heard: told of each request to a place that has a name, such as
            "browser → app: GET /sign-in".
        **names: the address of each of these, such as app="http://127.0.0.1:40123".

    Attributes:
        cookies: the value of each.
    """

    def __init__(self, heard: Callable[[str], object] | None = None, **names: str) -> None:
        """Begin with an empty jar."""
        self.cookies: dict[str, str] = {}
        self._heard = heard
        self._names = {address: name for name, address in names.items()}

    async def step(self, url: str, **form: str) -> HTTPResponse:
        """Send one request, and follow nothing.

        Args:
            url: where to.
            **form: what is filled in; a request with a form is a POST.

        Returns:
            The answer, of any status.
        """
        method, body = ("POST", urlencode(form)) if form else ("GET", None)
        place = urlsplit(url)
        name = self._names.get(f"{place.scheme}://{place.netloc}")
        if self._heard and name:
            self._heard(f"browser → {name}: {method} {place.path}")
        jar = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        response = await AsyncHTTPClient().fetch(
            url,
            method=method,
            body=body,
            headers={"Cookie": jar, "User-Agent": "Mozilla/5.0 (one screen)"},
            follow_redirects=False,
            raise_error=False,
            request_timeout=SECONDS,
        )
        for line in response.headers.get_list("Set-Cookie"):
            for morsel in SimpleCookie(line).values():
                self._keep(morsel.key, morsel.value)
        return response

    async def open(self, url: str, **form: str) -> HTTPResponse:
        """Send a request, and go wherever the answers lead.

        Args:
            url: where to.
            **form: what is filled in.

        Returns:
            The last answer; its `effective_url` says where the browser is.
        """
        response = await self.step(url, **form)
        for _ in range(MOST_REDIRECTS):
            if "Location" not in response.headers:
                break
            response = await self.step(
                urljoin(response.effective_url, response.headers["Location"])
            )
        return response

    async def sign_in(self, app: str, **form: str) -> HTTPResponse:
        """Begin at an application, fill in the provider's form, and see where that leads.

        Args:
            app: its address.
            **form: what is filled in.
        """
        return await self.open(await self.callback(app, **form))

    async def callback(self, app: str, **form: str) -> str:
        """Do the same, but stop at the provider.

        Returns:
            The address to which the provider would send the browser back.
        """
        page = await self.open(f"{app}/sign-in")
        answer = await self.step(page.effective_url, **form)
        return answer.headers["Location"]

    def _keep(self, name: str, value: str) -> None:
        # Tornado takes a cookie away by making it empty, and old.
        self.cookies.pop(name, None)
        if value:
            self.cookies[name] = value


def arguments_of(address: str) -> dict[str, str]:
    """Return the arguments in an address."""
    return dict(parse_qsl(urlsplit(address).query))


def changed(address: str, **changes: str) -> str:
    """Return an address with other arguments.

    Args:
        address: the address.
        **changes: the new value of each; without its argument where that is empty.
    """
    arguments = {**arguments_of(address), **changes}
    given = {name: value for name, value in arguments.items() if value}
    return url_concat(address.partition("?")[0], given)
