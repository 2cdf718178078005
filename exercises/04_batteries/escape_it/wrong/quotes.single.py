from html import escape
from urllib.parse import quote


def clean(text):
    return escape(text, quote=False).replace('"', "&quot;")


def page(comments):
    """Return the page: a line for each comment, a pair of a name and a text."""
    return "".join(
        f"<p><a href='/by?name={quote(name)}' title='{clean(name)}'>{clean(name)}</a>: "
        f"{clean(text)}</p>"
        for name, text in comments
    )
