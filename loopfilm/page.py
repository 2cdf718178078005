"""Write the pages of a server that is filmed while it runs; they need nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from .films import Film
from .lettering import clean, shortened
from .totals import Total, in_seconds, many_short, totals

# What a browser may do with such a page: show it, and send its form.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'"
MOST_ROWS = 40
LONGEST = 400  # columns of a sentence, or of a cell
STYLE = """
:root { color-scheme: light dark; --paper: #fdfdfb; --ink: #1f2933; --grey: #434f5b;
  --faint: #d5d9de; --link: #164a82 }
@media (prefers-color-scheme: dark) {
  :root { --paper: #14191f; --ink: #e4e7eb; --grey: #b4bec8; --faint: #3a444f; --link: #8cbcf0 }
}
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif }
main { max-width: 60rem; margin: 0 auto; padding: 1rem }
h1 { font-size: 1.4rem; line-height: 1.3; overflow-wrap: anywhere }
h2 { font-size: 1.1rem; margin-top: 2rem }
p, .grey { color: var(--grey) }
a { color: var(--link) }
.wide { overflow-x: auto }
.wide > svg { display: block; min-width: 600px; max-width: 100%; height: auto }
table { border-collapse: collapse; width: 100% }
th, td { padding: .3rem .8rem .3rem 0; text-align: left; vertical-align: top;
  border-bottom: 1px solid var(--faint) }
td { overflow-wrap: anywhere; min-width: 4.5rem }
.where { min-width: 13rem }
.number { text-align: right; white-space: nowrap }
code { font: .9em/1.4 ui-monospace, Consolas, monospace }
input, button { font: inherit; padding: .2rem .5rem; background: var(--paper);
  color: var(--ink); border: 1px solid var(--grey); border-radius: 3px }
input { width: 5rem }
"""


def of_film(film: Film) -> str:
    """Return the page that shows a film.

    Args:
        film: the film, which has ended.
    """
    holds, waits = totals(film.held_at), totals(film.waits)
    seconds = in_seconds((film.record.ended or film.record.began) - film.record.began)
    parts = [
        f"<h1>{_text(film.title())}</h1>",
        *([f"<p>{_text(short)}</p>"] if (short := many_short(film, "&red=")) else []),
        f"<p>{seconds} of the event loop of this process. A step longer than {film.red:g} s"
        " holds it. The film itself is not in it.</p>",
        _wide("the film", film.svg()),
        "<h2>Who held the loop</h2>",
        *_table("who held the loop", holds, "Nobody.", film.red),
        "<h2>What was waited for</h2>",
        "<p>While they waited, others could go on, unless somebody held the loop.</p>",
        *_table("what was waited for", waits, "Nothing for long."),
        '<p><a href="?">Another film</a></p>',
    ]
    return _page("Who held the loop", parts)


def of_usage(path: str, most: float) -> str:
    """Return the page that says how to have a film made.

    Args:
        path: the address of the page.
        most: how many seconds a film may last.
    """
    here = _text(path)
    some = f"{min(5, most):g}"
    parts = [
        "<h1>Who holds the event loop of this server?</h1>",
        "<p>Choose for how long to look, send requests meanwhile, and wait for the answer."
        " It slows the server down a little while it lasts, and not at all afterwards.</p>",
        '<form method="get"><label>seconds <input name="seconds" type="number" step="any"'
        f' min="0.1" max="{most:g}" value="{some}" required></label>'
        " <button>Film</button></form>",
        "<h2>By hand</h2>",
        _wide("addresses", f"<table>{''.join(_by_hand(f'{here}?seconds={some}'))}</table>"),
    ]
    return _page("Film this server", parts)


def _by_hand(address: str) -> Iterable[str]:
    for more, what in (
        ("", "this page with the film"),
        ("&amp;red=0.1", "a step longer than 0.1 s holds the loop, not 0.25 s"),
        ("&amp;format=text", "a plain table"),
        ("&amp;format=trace", "all steps, for ui.perfetto.dev"),
    ):
        yield f'<tr><td class="where"><code>{address}{more}</code></td><td>{what}</td></tr>'


def _table(what: str, rows: Sequence[Total], nothing: str, red: float = 0.0) -> Iterable[str]:
    if not rows:
        yield f"<p>{nothing}</p>"
        return
    heads = (f'<th scope="col">{head}</th>' for head in ("who", "where"))
    numbers = (
        f'<th scope="col" class="number">{head}</th>' for head in ("times", "in all", "at most")
    )
    lines = "".join(_row(row, red) for row in rows[:MOST_ROWS])
    head = f"<thead><tr>{''.join([*heads, *numbers])}</tr></thead>"
    yield _wide(what, f"<table>{head}<tbody>{lines}</tbody></table>")
    if len(rows) > MOST_ROWS:
        yield f"<p>and {len(rows) - MOST_ROWS:,} more lines</p>"


def _row(total: Total, red: float) -> str:
    deeper = f'<br><code class="grey">{_text(total.deeper)}</code>' if total.deeper else ""
    where = f"<code>{_text(total.where)}</code>" if total.where else "nobody saw where"
    times = (in_seconds(seconds, red) for seconds in (total.seconds, total.longest))
    numbers = (f"{total.times:,}", *times)
    cells = "".join(f'<td class="number">{number}</td>' for number in numbers)
    return f'<tr><td>{_text(total.who)}</td><td class="where">{where}{deeper}</td>{cells}</tr>'


def _wide(what: str, html: str) -> str:
    """Return what is scrolled in a narrow window, also with the keys."""
    return f'<div class="wide" role="region" aria-label="{what}" tabindex="0">{html}</div>'


def _text(words: str) -> str:
    # A client may choose the name of its lane.
    return escape(shortened(clean(words), LONGEST), quote=True)


def _page(title: str, parts: Iterable[str]) -> str:
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{STYLE}</style></head><body><main>\n"
        + "\n".join(parts)
        + "\n</main></body></html>\n"
    )
