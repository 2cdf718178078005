from tornado.template import DictLoader

FILES = {
    "base.html": "<body>{% block lines %}{% end %}</body>",
    "page.html": """{% extends "base.html" %}{% block lines %}
{% for name, text in comments %}{% module Line(name, text) %}{% end %}{% end %}""",
    "line.html": """<p><a href="/by?name={{ url_escape(name) }}"
    title="{{ name }}">{{ name }}</a>: {{ text }}</p>""",
}
LOADER = DictLoader(FILES)


class Modules:
    def Line(self, name, text):
        return LOADER.load("line.html").generate(name=name, text=text)


def page(comments):
    """Return the page: a line for each comment, a pair of a name and a text."""
    return LOADER.load("page.html").generate(comments=comments, _tt_modules=Modules())
