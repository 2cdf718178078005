from html import escape
from urllib.parse import quote


def page(comments):
    return "\n".join(
        f"<p><a href='/by?name={quote(name)}' title='{escape(name)}'>{escape(name)}</a>: "
        f"{escape(text)}</p>"
        for name, text in comments
    )
