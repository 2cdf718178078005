"""A page with a form for an invitation, and with what the mail server has kept."""

from __future__ import annotations

import secrets

from tornado.template import Template

from ...sentences import SentenceHandler
from .mail_server import Mail, MailServer

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
{% for mails in kept %}
<h2>For {{ ", ".join(mails[0].to) }}: {{ len(mails) }} ×</h2>
<pre>{{ mails[0].content.decode(errors="replace") }}</pre>
{% end %}
</html>
""")


class KeptHandler(SentenceHandler):
    """A form, and what has come."""

    def get(self) -> None:
        """Answer with the page, the newest mail first; what came again is there once."""
        server: MailServer | None = self.settings["started"]
        kept: dict[object, list[Mail]] = {}
        for mail in reversed(server.kept if server else ()):
            # What has no Message-ID is like nothing else.
            kept.setdefault(mail.id or object(), []).append(mail)
        # So that each page has a number of its own.
        self.set_header("Cache-Control", "no-store")
        self.write(PAGE.generate(number=secrets.token_hex(16), kept=kept.values()))
