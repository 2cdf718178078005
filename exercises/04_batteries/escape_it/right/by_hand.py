from tornado.escape import url_escape, xhtml_escape


def page(comments):
    """Return the page: a line for each comment, a pair of a name and a text."""
    lines = []
    for name, text in comments:
        shown = xhtml_escape(name)
        link = f'<a href="/by?name={url_escape(name)}" title="{shown}">{shown}</a>'
        lines.append(f"<p>{link}: {xhtml_escape(text)}</p>")
    return "".join(lines)
