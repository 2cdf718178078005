"""A page with a form for an invitation, and with what the mail server has kept."""

from __future__ import annotations

import secrets
from collections import Counter

from tornado.template import Template

from ...sentences import SentenceHandler
from .mail_server import MailServer

PAGE = Template("""<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<title>Invitations</title>
<h1>Invitations</h1>
<form method="post" action="invitations">
<input type="hidden" name="number" value="{{ number }}">
<p><label>To <input name="to" value="grace@example.org" required></label></p>
<p><label>From <input name="name" value="Ada" required></label></p>
<p><label>Text <input name="text" value="Tea at four?" required></label></p>
<p><button>Send</button></p>
</form>
{% for mail in kept %}
<h2>For {{ ", ".join(mail.to) }}: {{ times[mail.id] }} ×</h2>
<pre>{{ mail.content.decode(errors="replace") }}</pre>
{% end %}
</html>
""")


class KeptHandler(SentenceHandler):
    """A form, and what has come."""

    def get(self) -> None:
        """Answer with the page, the newest mail first; what came again is there once."""
        server: MailServer | None = self.settings["started"]
        kept = server.kept if server else ()
        times = Counter(mail.id for mail in kept)
        newest = reversed({mail.id: mail for mail in kept}.values())
        # So that each page has a number of its own.
        self.set_header("Cache-Control", "no-store")
        self.write(PAGE.generate(number=secrets.token_hex(16), kept=newest, times=times))
