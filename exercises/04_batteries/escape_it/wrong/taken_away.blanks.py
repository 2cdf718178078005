from tornado.template import Template

LINE = Template(
    '<p><a href="/by?name={{ url_escape(name) }}" title="{{ name }}">{{ name }}</a>: {{ text }}</p>'
)


def page(comments):
    """Return the page: a line for each comment, a pair of a name and a text."""
    return b"".join(
        LINE.generate(name=name, text=" ".join(text.split())) for name, text in comments
    )
