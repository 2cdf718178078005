from tornado.template import Template

LINE = Template(
    '<p><a href="/by?name={% raw name %}" title="{% raw name %}">{% raw name %}</a>: '
    "{% raw text %}</p>"
)


def page(comments):
    """Return the page: a line for each comment, a pair of a name and a text."""
    lines = []
    for name, text in comments:
        lines.append(LINE.generate(name=name, text=text.replace("<script>", "")))
    return b"".join(lines)
