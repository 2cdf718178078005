def page(comments):
    """Return the page: a line for each comment, a pair of a name and a text."""
    return "".join(
        f'<p><a href="/by?name={name}" title="{name}">{name}</a>: {text}</p>'
        for name, text in comments
    )
