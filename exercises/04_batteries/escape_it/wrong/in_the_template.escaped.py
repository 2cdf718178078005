from tornado.escape import url_escape, xhtml_escape
from tornado.template import Template


def page(comments):
    """Return the page: a line for each comment, a pair of a name and a text."""
    lines = []
    for name, text in comments:
        who, what = xhtml_escape(name), xhtml_escape(text)
        lines.append(
            f'<p><a href="/by?name={url_escape(name)}" title="{who}">{who}</a>: {what}</p>'
        )
    return Template("".join(lines)).generate()
