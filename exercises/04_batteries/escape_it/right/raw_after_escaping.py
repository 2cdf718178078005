from tornado.escape import url_escape, xhtml_escape
from tornado.template import Template

LINE = Template(
    '<p><a href="/by?name={{ address }}" title="{% raw name %}">{% raw name %}</a>: {{ text }}</p>'
)


def page(comments):
    """Return the page: a line for each comment, a pair of a name and a text."""
    lines = []
    for name, text in comments:
        given = {"address": url_escape(name), "name": xhtml_escape(name), "text": text}
        lines.append(LINE.generate(**given).decode())
    return "".join(lines)
