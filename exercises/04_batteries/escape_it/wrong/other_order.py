from tornado.template import Template

LINE = Template(
    '<p><a href="/by?name={{ url_escape(name) }}" title="{{ name }}">{{ name }}</a>: '
    "{{ text }}</p>"
)


def page(comments):
    lines = [LINE.generate(name=name, text=text) for name, text in sorted(comments)]
    return b"".join(lines)
