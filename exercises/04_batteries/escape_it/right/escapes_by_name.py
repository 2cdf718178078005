from tornado.template import Template

LINE = Template(
    '<p><a href="/by?name={{ url_escape(name, plus=False) }}" title="{{ escape(name) }}">'
    "{{ xhtml_escape(name) }}</a>: {% apply xhtml_escape %}{{ text }}{% end %}</p>",
    autoescape=None,
)


def page(comments):
    """Return the page: a line for each comment, a pair of a name and a text."""
    return "".join(LINE.generate(name=name, text=text).decode() for name, text in comments)
