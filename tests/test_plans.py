"""What TEACHING.md promises of a day: plans that add up, and cuts that nobody misses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from slides.making.deck import length
from tests.cells import names_made, names_read, names_used, with_solution
from tests.lessons import BOOKS, Item, core, items, meant, part
from tests.paths import ROOT
from tools import refresh

TEACHING = (ROOT / "TEACHING.md").read_text(encoding="utf-8")

# Nobody sits for longer, in minutes; the last time some of it is goodbye.
SITTING, LAST_SITTING = 61, 65
# What one notebook teaches, and another one imports from elsewhere.
ANOTHER = {("06", "result")}


# -- plans -------------------------------------------------------------------------------------


class Row(NamedTuple):
    """A line of a plan: when it begins, in minutes, what it is, and how long it takes."""

    begin: int
    what: str
    minutes: int


class Plan(NamedTuple):
    """A plan: for each of its sittings the time that its heading says, and its rows."""

    sittings: dict[int, list[Row]]
    left_out: str

    def rows(self) -> list[Row]:
        return [row for rows in self.sittings.values() for row in rows]

    def items(self) -> list[Item]:
        return [item for row in self.rows() for item in meant(row.what)]


def plans() -> dict[str, Plan]:
    """The plans by their titles."""
    found = {}
    for title in re.findall(r"^### (.+)", part(TEACHING, "## Plans"), re.MULTILINE):
        text = f"### {title}\n" + part(part(TEACHING, "## Plans"), f"### {title}")
        # A title that says no time has sittings below it that do.
        pieces = re.split(r"^#{3,4} .+?: (\d+) h (\d\d)\n", text, flags=re.MULTILINE)[1:]
        sittings = {
            60 * int(hours) + int(minutes): list(rows_of(table))
            for hours, minutes, table in zip(*[iter(pieces)] * 3, strict=True)
        }
        [left_out] = re.findall(r"^Left out: (.+?)\.(?: |$)", text, re.MULTILINE)
        found[title] = Plan(sittings, left_out)
    return found


def rows_of(table: str) -> Iterator[Row]:
    for hour, minute, what, takes in re.findall(
        r"^\| (\d+):(\d\d) \| (.+) \| (\d+) \|$", table, re.MULTILINE
    ):
        yield Row(60 * int(hour) + int(minute), what, int(takes))


each_plan = pytest.mark.parametrize("plan", plans().values(), ids=plans())


@each_plan
def test_the_clock_of_a_plan_goes_on_by_the_minutes_of_each_row(plan: Plan) -> None:
    assert plan.sittings
    for time, rows in plan.sittings.items():
        ends = [row.begin + row.minutes for row in rows]
        assert [row.begin for row in rows] == [0, *ends[:-1]]
        assert ends[-1] == time


@each_plan
def test_each_row_of_a_plan_takes_the_minutes_of_the_notebooks(plan: Plan) -> None:
    for row in plan.rows():
        if found := meant(row.what):
            assert row.minutes == sum(item.minutes for item in found), row
        else:
            assert not re.search(r"\b0\d\b|section \d", row.what.partition(";")[0]), row
        if row.what == "the talk":
            talk = refresh.read(ROOT / "slides" / "stormy_webber.ipynb")
            assert row.minutes == round(length(talk) / 60)


@each_plan
def test_the_first_break_is_within_an_hour_and_nobody_sits_for_long(plan: Plan) -> None:
    for rows in plan.sittings.values():
        begin = 0
        breaks = [row for row in rows if row.what.startswith("break")]
        assert breaks[0].begin <= 60
        for row in breaks:
            assert row.begin - begin <= SITTING, row
            begin = row.begin + row.minutes
        assert rows[-1].begin + rows[-1].minutes - begin <= LAST_SITTING, rows[-1]


@each_plan
def test_a_plan_says_what_it_leaves_out(plan: Plan) -> None:
    taken = plan.items()
    assert len(taken) == len({(item.book, item.name) for item in taken})
    books = ("01", "02", "03") if taken[0].book == "01" else ("06",)
    left = [str(item) for book in books for item in core(book) if item not in taken]
    assert left == [str(item) for item in meant(plan.left_out)]
    if not left:
        assert plan.left_out == "nothing"
    if "01" in books:
        has_talk = any(row.what == "the talk" for row in plan.rows())
        assert has_talk != plan.left_out.startswith("the talk")


def test_the_half_day_without_the_talk_has_time_for_what_it_says() -> None:
    text = part(part(TEACHING, "## Plans"), "### The half day: 4 h 00")
    [(spared, gained)] = re.findall(r"leave (.+?) out too, .+? time for 03, (.+?):", text)
    spares, gains = meant(f"01: {spared}"), meant(f"03: {gained}")
    assert spares and gains
    two_minutes_of_the_talk = 2
    time = 30 - two_minutes_of_the_talk + sum(item.minutes for item in spares)
    assert 0 <= time - sum(item.minutes for item in gains) < 5


# -- what needs what ---------------------------------------------------------------------------


def told_needs() -> dict[str, list[str]]:
    """The table under "When you are late": what is cut, and what then lacks something."""
    everything = [str(item) for book in BOOKS for item in core(book)]
    found = {}
    for cut, lacking, what in re.findall(
        r"^\| (0\d, \d+|`\w+`) \| ([^|]+) \|([^|]*)\|$",
        part(TEACHING, "## When you are late"),
        re.MULTILINE,
    ):
        after = everything[everything.index(cut) + 1 :]
        if lacking == "all that follows":
            found[cut] = after
        else:
            found[cut] = [] if lacking == "nothing" else lacking.split("; ")
            assert set(found[cut]) <= set(after), cut
        assert bool(what.strip()) == bool(found[cut]), f"{cut}: what is it that they lack?"
        item = next(item for book in BOOKS for item in core(book) if str(item) == cut)
        assert set(re.findall(r"`([\w.]+)`", what)) <= names_given(item), cut
    return found


def names_given(item: Item) -> set[str]:
    """What is made, imported or taught in a section."""
    made = set().union(*map(names_made, item.code()))
    return made | set(item.cells[0].metadata.get("teaches", [])) | {"await"}


def names_needed() -> dict[str, dict[str, set[str]]]:
    """For what everybody does, who needs a name that is made or taught there, and which."""
    found: dict[str, dict[str, set[str]]] = {}
    taught: dict[str, Item] = {}
    for book in BOOKS:
        made: dict[str, Item] = {}
        for item in items(book):
            sources = [cell.source for cell in item.cells if cell.cell_type == "code"]
            own = set().union(*map(names_made, item.code()))
            used = set().union(*(names_used(with_solution(source)) for source in sources)) - own
            used = {name for name in used if (book, name) not in ANOTHER}
            read = names_read(item.code()) - own
            for names, whose in ((used, taught), (read, made)):
                for name in names & whose.keys():
                    if item.path == whose[name].path == "core" and whose[name] is not item:
                        needs = found.setdefault(str(whose[name]), {})
                        needs.setdefault(str(item), set()).add(name)
            for name in item.cells[0].metadata.get("teaches", []):
                taught.setdefault(name, item)
            made |= dict.fromkeys(own, item)
    return found


def test_the_table_of_needs_has_all_that_everybody_does_in_its_order() -> None:
    books = ("01", "02", "03")
    assert [*told_needs()] == [str(item) for book in books for item in core(book)]


def test_the_table_of_needs_knows_who_uses_a_name_of_whom() -> None:
    told = told_needs()
    for cut, lacking in names_needed().items():
        for item, names in lacking.items():
            if cut in told:
                assert item in told[cut], f"without {cut}, {item} lacks {names}"


@each_plan
def test_a_plan_has_all_that_its_parts_need(plan: Plan) -> None:
    taken = [str(item) for item in plan.items()]
    if "01, 1" in taken:
        for cut, lacking in told_needs().items():
            assert cut in taken or not set(lacking) & set(taken), cut


def blocks() -> list[tuple[list[Item], str, int]]:
    """What is cut when it is late: what goes, the words for it, and the minutes."""
    rows = re.findall(
        r"^\| [A-Z] \| ([^|]+) \| (\d+) \|$", part(TEACHING, "## When you are late"), re.M
    )
    return [(meant(words), words, int(saves)) for words, saves in rows]


def test_a_block_saves_about_half_an_hour_and_what_its_row_says() -> None:
    assert len(blocks()) > 2
    for found, words, saves in blocks():
        assert saves == (sum(item.minutes for item in found) if found else 30), words
        assert 25 <= saves <= 40


def test_what_stays_needs_nothing_of_what_has_been_cut() -> None:
    needs = told_needs()
    stays = [str(item) for book in ("01", "02", "03") for item in core(book)]
    for found, _, _ in blocks():
        stays = [name for name in stays if name not in {str(item) for item in found}]
        for name in needs.keys() - set(stays):
            assert not set(needs[name]) & set(stays), name


# -- the paper itself --------------------------------------------------------------------------


def test_the_contents_have_each_heading() -> None:
    headings = re.findall(r"^## (.+)$", TEACHING, re.MULTILINE)
    contents = re.findall(r"^- \[(.+?)\]\(#(.+?)\)", TEACHING, re.MULTILINE)
    assert [title for title, _ in contents] == headings
    places = {anchor(heading) for heading in re.findall(r"^#+ (.+)$", TEACHING, re.MULTILINE)}
    assert set(re.findall(r"\]\(#([^)]+)\)", TEACHING)) <= places


def anchor(heading: str) -> str:
    """What a page of Markdown calls a heading in an address."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
