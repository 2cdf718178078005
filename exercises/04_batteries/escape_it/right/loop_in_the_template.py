from tornado.template import Template

PAGE = Template("""
<h1>Comments</h1>
<ul>
{% for name, text in comments %}
<li><a class="who" title="{{ name }}" href="/by?name={{ url_escape(name) }}">{{ name }}</a>: {{ text }}</li>
{% end %}
</ul>
""")


def page(comments):
    """Return the page: a line for each comment, a pair of a name and a text."""
    return PAGE.generate(comments=comments)
