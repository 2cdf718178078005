from tornado.escape import url_escape, xhtml_escape


def page(comments):
    """Return the page: a line for each comment, a pair of a name and a text."""
    lines = []
    for number, (name, text) in enumerate(comments):
        comments[number] = xhtml_escape(name), xhtml_escape(text)
        who, what = comments[number]
        lines.append(
            f'<p><a href="/by?name={url_escape(name)}" title="{who}">{who}</a>: {what}</p>'
        )
    return "".join(lines)
