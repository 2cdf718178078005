from tornado.template import Template


def page(comments):
    """Return the page: a line for each comment, a pair of a name and a text."""
    lines = [
        f'<p><a href="/by?name={{{{ url_escape("""{name}""") }}}}" title="{name}">{name}</a>: {text}</p>'
        for name, text in comments
    ]
    return Template("".join(lines)).generate()
