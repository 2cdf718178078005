from html import escape
from urllib.parse import quote_plus


def show(text):
    return escape(text).replace("  ", " &nbsp;")


def page(comments):
    """Return the page: a line for each comment, a pair of a name and a text."""
    return "".join(
        f'<p><a href="/by?name={quote_plus(name)}" title="{escape(name)}">{show(name)}</a>: '
        f"{show(text)}</p>"
        for name, text in comments
    )
