"""The deck in Firefox, driven by WebDriver BiDi: JSON in a WebSocket, without a driver."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from pypdf import PdfReader
from tornado.websocket import WebSocketClientConnection, websocket_connect

from slides.looking import walk
from tests.browser.conftest import cannot

ADDRESS = re.compile(r"WebDriver BiDi listening on (ws://\S+)")
READY = "new Promise(done => Reveal.isReady() ? done() : Reveal.on('ready', () => done()))"
COUNT = f"{walk.ALL}.length"
GROUND = "getComputedStyle(document.body).backgroundColor"
SPACE = {
    "type": "key",
    "id": "keys",
    "actions": [{"type": "keyDown", "value": " "}, {"type": "keyUp", "value": " "}],
}
DARK = 'user_pref("layout.css.prefers-color-scheme.content-override", 0);\n'


class Firefox:
    """One tab of a Firefox, and what it complains about."""

    def __init__(self, socket: WebSocketClientConnection) -> None:
        self.socket = socket
        self.number = 0
        self.complaints: list[str] = []
        self.tab = ""

    async def say(self, method: str, **params: Any) -> Any:
        """Give a command, and return its result."""
        self.number += 1
        command = {"id": self.number, "method": method, "params": params}
        await self.socket.write_message(json.dumps(command))
        while True:
            told = await self.socket.read_message()
            assert told is not None, "Firefox has gone"
            answer = json.loads(told)
            if answer.get("id") == self.number:
                assert answer["type"] == "success", answer
                return answer["result"]
            if answer.get("params", {}).get("level") in ("error", "warn"):
                self.complaints.append(answer["params"]["text"])

    async def ask(self, script: str) -> Any:
        """Return what an expression is in the page."""
        target = {"context": self.tab}
        answer = await self.say(
            "script.evaluate", expression=script, target=target, awaitPromise=True
        )
        return answer["result"].get("value")


async def walked(address: str, deck: Path) -> tuple[Firefox, list[str], str, int, bytes]:
    """Go through a deck with the space bar, and print it."""
    firefox = Firefox(await websocket_connect(f"{address}/session", max_message_size=1 << 28))
    await firefox.say("session.new", capabilities={})
    await firefox.say("session.subscribe", events=["log.entryAdded"])
    tabs = await firefox.say("browsingContext.getTree")
    firefox.tab = tabs["contexts"][0]["context"]
    here = {"context": firefox.tab}
    viewport = {"width": 1280, "height": 720}
    await firefox.say("browsingContext.setViewport", **here, viewport=viewport)
    await firefox.say("browsingContext.navigate", **here, url=deck.as_uri(), wait="complete")
    await firefox.ask(READY)
    states: list[str] = []
    while (state := await firefox.ask("JSON.stringify(Reveal.getIndices())")) not in states:
        states.append(state)
        await firefox.say("input.performActions", **here, actions=[SPACE])
    ground, count = await firefox.ask(GROUND), await firefox.ask(COUNT)
    paper = {"width": 1280 / 96 * 2.54, "height": 720 / 96 * 2.54}
    margin = dict.fromkeys(("top", "bottom", "left", "right"), 0)
    printed = await firefox.say("browsingContext.print", **here, page=paper, margin=margin)
    await firefox.say("browser.close")
    # Its end is waited for: who finds an open socket is a later test.
    firefox.socket.close()
    while await firefox.socket.read_message() is not None:
        pass
    return firefox, states, ground, count, base64.b64decode(printed["data"])


def test_the_deck_goes_and_is_printed_in_firefox_as_in_chromium(
    deck: Path, tmp_path: Path
) -> None:
    path = shutil.which("firefox-esr") or shutil.which("firefox")
    if path is None:
        cannot(Exception("No Firefox was found on this machine."))
        return
    (tmp_path / "user.js").write_text(DARK, encoding="utf-8")
    options = ["--headless", "--no-remote", "--profile", str(tmp_path)]
    with subprocess.Popen(
        [path, *options, "--remote-debugging-port", "0", "about:blank"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        try:
            assert process.stderr is not None
            found = next(filter(None, map(ADDRESS.search, process.stderr)))
            firefox, states, ground, count, pdf = asyncio.run(walked(found[1], deck))
        finally:
            process.terminate()
    assert firefox.complaints == []
    # The steps of the talk, up to its appendix, by night.
    assert len(states) > count > 20
    assert ground == "rgb(16, 23, 30)"
    pages = PdfReader(io.BytesIO(pdf)).pages
    assert len(pages) == count
    assert "Stormy" in pages[0].extract_text()
