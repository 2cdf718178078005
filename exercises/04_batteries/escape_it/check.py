"""A page that shows what strangers wrote: as text, in an attribute, and in an address."""

from __future__ import annotations

import inspect
from html import unescape
from html.parser import HTMLParser
from typing import NamedTuple
from urllib.parse import parse_qs, unquote_plus, urlsplit

from classroom.examining.case import Case
from classroom.examining.kinds import code_exercise
from classroom.examining.rendering import shown
from classroom.examining.verdict import Mistake
from stormy_demo.batteries.counterparts.seen import seen

from .places import ADDRESS, ATTRIBUTE, IN_TEXT, Page, Place, places

SCRIPT = "<script>steal()</script>"
SUM = "{{ 6 * 7 }}"

# Names, and texts, that somebody may type.
TYPED = {
    "A text and a name look like the hole of a template.": [("Ada", SUM), (SUM, "hello")],
    "Texts have tags, quotes and escapes in them.": [
        ("Ada", SCRIPT),
        ("Ada", "<b>bold</b> <img src=x onerror=steal()>"),
        ("Ada", "1 < 2 && \"3\" > '2'"),
        ("Ada", "In HTML, write &lt; for < and &amp; for &."),
        ("Ada", "caffè, 100%, a+b"),
    ],
    "Names have tags, blanks, quotes and escapes in them.": [
        (SCRIPT, "hello"),
        ("Ada Lovelace", "hello"),
        ('"Ada" onmouseover="steal()', "hello"),
        ("'Ada' onmouseover='steal()", "hello"),
        ("Ada &amp; Co", "hello"),
    ],
    "Names have signs in them that mean something in an address.": [
        ("Ada & Co", "hello"),
        ("C# + 100% Zoë?/=", "hello"),
    ],
    "A text and a name have blanks in front, at the end, and two in the middle.": [
        ("Ada", " 1  2 "),
        (" Ada  Lovelace ", "hello"),
    ],
}

RAW = Mistake(
    "raw",
    "what strangers typed, put into the page as it is",
    (
        "The browser cannot know which tags are yours and which a stranger typed. What does a "
        "template do in a hole of its own accord, and what tells it not to?",
        "`{{ text }}` escapes, and `{% raw text %}` does not. By hand, `xhtml_escape` does it.",
    ),
)
BLACKLIST = Mistake(
    "blacklist",
    "a search for what is bad, and all else let through",
    (
        "How many ways to run code do you know? And a stranger who has looked for longer?",
        "Take nothing away. Escape all of it, and no `<` begins a tag any more.",
    ),
)
TAKEN_AWAY = Mistake(
    "taken_away",
    "something taken away from what was typed",
    (
        'Somebody types "1 < 2 and 3 > 2", or explains what `<b>` does. What is left of it?',
        "Take nothing away: what is escaped is harmless, and shown as it was typed.",
    ),
)
TWICE = Mistake(
    "twice",
    "something that is escaped twice",
    (
        "A browser undoes each escape once, and one is left. Who made the second?",
        "`{{ ... }}` escapes by itself: give it the text as it was typed. By hand, escape `&` "
        "before you make other escapes.",
    ),
)
AMPERSAND = Mistake(
    "ampersand",
    "a `&` that is left as it is",
    (
        'Somebody types "&lt;", four characters. What does a browser show for them?',
        "Escape `&` as well, as the first. Better: leave it to `{{ ... }}` or `xhtml_escape`, "
        "which know all of them.",
    ),
)
URL_IN_TEXT = Mistake(
    "url_in_text",
    "an escape for addresses where a person reads",
    (
        "Who undoes `%20` or `+`? Whoever reads an address. Is this one?",
        "`url_escape` belongs into the `href`. For text and for a `title`, escape for HTML.",
    ),
)
QUOTES = Mistake(
    "quotes",
    "a quote that ends the attribute",
    (
        "The value ends at the next quote of the kind that it began with. What comes then?",
        "Escape the quotes in it too, both kinds. `{{ ... }}` and `xhtml_escape` do.",
    ),
)
UNQUOTED = Mistake(
    "unquoted",
    "an attribute without quotes",
    (
        "Where does the value of an attribute end that has no quotes around it?",
        'At the first blank, and nobody escapes blanks. Write `title="..."` and `href="..."`, '
        "also where `url_escape` leaves no blank: the rest of the HTML stays as it was.",
    ),
)
NOT_FOR_ADDRESSES = Mistake(
    "not_for_addresses",
    "an address whose parts are not told from what was typed",
    (
        "The browser undoes the escapes of HTML first. Then it reads the address: what do `&`, "
        "`#` and `+` mean there?",
        "In the query, `url_escape(name)`.",
    ),
)
HTML_IN_ADDRESS = Mistake(
    "html_in_address",
    "a name that is escaped for HTML, and then for an address",
    (
        "Undo what you did in the order of a browser: first HTML, and then the address. What "
        "name does the server get?",
        "The innermost comes first: `url_escape` of the name as it was typed, and then HTML, "
        "as `{{ url_escape(name) }}` does.",
    ),
)
IN_THE_TEMPLATE = Mistake(
    "in_the_template",
    "what strangers typed as a part of the template",
    (
        "A template is a program: what does `{{ 6 * 7 }}` in it do? Who wrote that here?",
        "Make the `Template` without names and texts, once. They come with "
        "`generate(name=name, text=text)`.",
    ),
)
STORED = Mistake(
    "stored",
    "comments that are changed when they are shown",
    (
        "What will stand on the page when it is shown for the second time?",
        "Keep what was typed, and escape where it is shown: only there you know whether it "
        "will be text or a part of an address.",
    ),
)
KEPT = Mistake(
    "kept",
    "lines that are kept from an earlier page",
    (
        "Call `page` twice. Where do the lines of the first call wait for the second?",
        "Begin with an empty list inside of `page`: one above it, or in its first line as "
        "`lines=[]`, is made once and for all.",
    ),
)
ONE_ONLY = Mistake(
    "one_only",
    "a page with one comment alone",
    (
        "Two have written, and the page has one of them. What becomes of the other's line?",
        "A `return` inside of a loop ends it in its first round, and a name keeps what it was "
        "given last. Collect the lines in a list, and return when the loop is done.",
    ),
)
NOT_JOINED = Mistake(
    "not_joined",
    "lines that nobody has put together",
    (
        "A browser gets one text. What does your `page` return?",
        'Put the lines together: `b"".join(lines)`, or `"".join(lines)` if they are `str`.',
    ),
)
OTHER_HTML = Mistake(
    "other_html",
    "HTML that is not that of the colleague",
    (
        "Put your line beside the colleague's. What is between the holes, and where is each?",
        """It is `<p><a href="/by?name=..." title="...">...</a>: ...</p>`: the name three """
        "times, a colon and a blank, and the text, with these quotes. Change only what is in "
        "the holes.",
    ),
)
OTHER_ORDER = Mistake(
    "other_order",
    "comments in another order than they were given in",
    (
        "Somebody answers what another one wrote. Which of both comes first on the page?",
        "Go through `comments` as they stand, with `for`, and put each line behind the last.",
    ),
)
NOT_UTF_8 = Mistake(
    "not_utf_8",
    "bytes that are not UTF-8",
    (
        "Which letters does that encoding have? And which encoding does a browser expect here?",
        "UTF-8, which has all letters. A template makes it; return a `str` as it is.",
    ),
)


class Link(NamedTuple):
    """A link: its text and what comes after it, its tooltip, and which name it asks for."""

    text: str
    title: str
    asks_for: dict[str, list[str]]


class Made(NamedTuple):
    """What a browser makes of a page: its tags with their attributes, the links, the code."""

    tags: list[tuple[str, ...]]
    links: list[Link]
    runs: list[str]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, ...]] = []
        self.links: list[Link] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, *(name for name, _ in attrs)))
        if tag == "a":
            given = dict(attrs)
            query = urlsplit(given.get("href") or "").query
            asks_for = parse_qs(query, keep_blank_values=True)
            self.links.append(Link("", given.get("title") or "", asks_for))

    def handle_data(self, data: str) -> None:
        if self.links:
            link = self.links[-1]
            self.links[-1] = link._replace(text=link.text + data)


def read(page: str) -> Made:
    """Return what a browser makes of a page.

    Args:
        page: the page.
    """
    reader = _Reader()
    reader.feed(page)
    reader.close()
    return Made(reader.tags, reader.links, seen(page).runs)


@code_exercise(
    (
        "A template escapes what comes into a hole. Which of the four holes needs something "
        "else as well?",
        "The one in the address: there `url_escape`, which a template knows by this name.",
        '`href="/by?name={{ url_escape(name) }}"`, and `{{ name }}` and `{{ text }}` in the '
        "other three.",
    ),
    RAW,
    BLACKLIST,
    TAKEN_AWAY,
    TWICE,
    AMPERSAND,
    URL_IN_TEXT,
    QUOTES,
    UNQUOTED,
    NOT_FOR_ADDRESSES,
    HTML_IN_ADDRESS,
    IN_THE_TEMPLATE,
    STORED,
    KEPT,
    ONE_ONLY,
    NOT_JOINED,
    OTHER_HTML,
    OTHER_ORDER,
    NOT_UTF_8,
    another_way="Another right way: `xhtml_escape` and `url_escape` by hand, no template.",
    known_by="xhtml_escape",
    instead="Another right way: a template, which escapes by itself in each `{{ ... }}`.",
)
async def escape_it(case: Case) -> None:
    """Show two ordinary comments, and then what people type who mean no good, or HTML."""
    page = case.function("page")

    def make(*comments: tuple[str, str]) -> str:
        given = [*comments]
        made = page(given)
        if inspect.isawaitable(made) or not isinstance(made, str | bytes):
            case.refuse_if_anything_went_wrong("`page` returns the page")
            is_lines = isinstance(made, list | tuple) or inspect.isgenerator(made)
            got = f"it returns {shown(made)}"
            case.refuse(
                NOT_JOINED if is_lines else None, "`page` returns the page, a text", got
            )
        if given != [*comments]:
            expected = "the comments are still as they were typed"
            case.refuse(STORED, expected, f"they are {shown(given)}")
        try:
            return made if isinstance(made, str) else made.decode()
        except UnicodeDecodeError:
            case.refuse(NOT_UTF_8, "a page in UTF-8", shown(made))

    def one(name: str, text: str) -> str:
        return make((name, text))

    case.tries("Grace writes: hello. Then Ada writes: goodbye.")
    # The second one is the first by its name, and by its text.
    both = make(("Grace", "hello"), ("Ada", "goodbye"))
    links = [Link("Grace: hello", "Grace", {"name": ["Grace"]})]
    links.append(Link("Ada: goodbye", "Ada", {"name": ["Ada"]}))
    expected = (
        "two links, with each name as its text, as its `title` and as the `name` in the query "
        "of its `href`, and after each link a colon and the text"
    )
    if (found := _links(both)) != links:
        if found == links[::-1]:
            case.refuse(OTHER_ORDER, "a page that shows Grace's comment first", shown(both))
        is_one = found in (links[:1], links[1:])
        case.refuse(ONE_ONLY if is_one else OTHER_HTML if both else None, expected, shown(both))
    case.tries("Ada alone writes: goodbye.")
    alone = make(("Ada", "goodbye"))
    if (found := _links(alone)) != links[1:]:
        kept = KEPT if len(found) > len(links) else None
        case.refuse(kept, "one such link, and her text", shown(alone))
    for what, comments in TYPED.items():
        case.tries(what)
        for name, text in comments:
            _try(case, one, name, text)
    quotes = {each.quote for each in places(one, "Ada", "hi") if each.kind != IN_TEXT}
    if quotes - {'"'}:
        expected = "the rest of the HTML is as it was, with its quotes around each attribute"
        case.refuse(UNQUOTED if "" in quotes else OTHER_HTML, expected, shown(one("Ada", "hi")))


def _links(page: str) -> list[Link]:
    return [_tidy(link) for link in read(page).links]


def _tidy(link: Link) -> Link:
    return link._replace(text=" ".join(link.text.split()))


def _try(case: Case, one: Page, name: str, text: str) -> None:
    """Refuse a page that shows something else than what was typed, or runs some of it."""
    made = read(one(name, text))
    expected = f"a browser shows {shown(f'{name}: {text}')}, and nothing runs"
    if not made.links:
        case.refuse(TAKEN_AWAY, expected, "it shows no comment")
    if made.runs or made.tags != read(one("Ada", "hello")).tags:
        got = f"`{made.runs[0]}` runs" if made.runs else "some of it is taken for HTML"
        case.refuse(_why(one, name, text), expected, got)
    link = _tidy(made.links[0])
    if link.text != " ".join(f"{name}: {text}".split()):
        case.refuse(_why(one, name, text), expected, f"it shows {shown(link.text)}")
    # Some write `&nbsp;` for a blank, so that a browser shows them all.
    whole = made.links[0].text.replace("\xa0", " ")
    if name not in whole or text not in whole:
        case.refuse(TAKEN_AWAY, expected, f"blanks are gone: {shown(whole)}")
    if link.title != name:
        expected = f"the `title` of the link is {shown(name)}"
        case.refuse(_why(one, name, text), expected, f"it is {shown(link.title)}")
    if link.asks_for != {"name": [name]}:
        expected = f"the link asks for the name {shown(name)}"
        asked = link.asks_for.get("name", ["nothing"])[0]
        case.refuse(_why(one, name, text), expected, f"it asks for {shown(asked)}")


def _why(one: Page, name: str, text: str) -> Mistake | None:
    """Return the mistake in a place of the page: in a text, an attribute, or an address."""
    if SUM in (name, text) and "42" in one(name, text):
        return IN_THE_TEMPLATE
    for place in places(one, name, text):
        if not place.is_right() and (found := _mistake(one, place)):
            return found
    return None


def _is_without_blanks(found: str, typed: str) -> bool:
    return len(found) < len(typed) and found.split() == typed.split()


def _mistake(one: Page, place: Place) -> Mistake | None:
    typed, written = place.typed, place.written
    after_html = unescape(written)
    if place.kind == ADDRESS:
        after_all = unquote_plus(after_html)
        if typed in (written, after_html):
            return NOT_FOR_ADDRESSES
        if unquote_plus(after_all) == typed:
            return TWICE
        if _is_without_blanks(after_all, typed):
            return TAKEN_AWAY
        return HTML_IN_ADDRESS if unescape(after_all) == typed else None
    if place.kind == ATTRIBUTE and not place.quote:
        return UNQUOTED
    if place.kind == ATTRIBUTE and place.quote in written:
        return QUOTES
    if written == typed:
        return RAW
    if unquote_plus(after_html) == typed:
        return URL_IN_TEXT
    if unescape(after_html) == typed:
        return TWICE
    if after_html == unescape(typed):
        return AMPERSAND
    if len(after_html) < len(typed):
        return BLACKLIST if "<u>" in one("Ada", "<u>") else TAKEN_AWAY
    return None
