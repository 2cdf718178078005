from html import escape
from urllib.parse import quote


def page(comments):
    """Return the page: a line for each comment, a pair of a name and a text."""
    return "\n".join(
        f'<p><a href="/by?name={quote(name)}" title="{escape(name)}">{escape(name)}</a>: '
        f"{escape(text)}</p>"
        for name, text in comments
    )
