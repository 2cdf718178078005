"""The benchmark of the deck: what it asks for, where that is, and what is counted. No times."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_markdown_cell, new_notebook
from playwright.sync_api import Browser

from benchmarks import deck as bench
from benchmarks._deck import browser as looks
from benchmarks._deck import internet as internets
from benchmarks._deck import packages
from benchmarks._shared.report import Row, result_file
from slides.looking import axe
from slides.looking import browser as browsers
from slides.making import deck as decks
from slides.paths import SLIDES
from tests.browser.conftest import cannot

NPM = SLIDES / "npm"

ELSEWHERE = "https://elsewhere.example"
ADDRESSES = {
    "reveal.js": f"{ELSEWHERE}/reveal.js@4.0.2",
    "jquery": f"{ELSEWHERE}/jquery/2.0.3/jquery.min.js",
    "requirejs": f"{ELSEWHERE}/require.js/2.1.10/require.min.js",
    "mathjax": f"{ELSEWHERE}/mathjax/2.7.7/latest.js?config=all",
    "mermaid": f"{ELSEWHERE}/mermaid/11.10.0/mermaid.esm.min.mjs",
}
FILES = {
    "reveal.js": ["dist/reveal.js", "dist/reveal.css"],
    "jquery": ["dist/jquery.min.js"],
    "requirejs": ["require.js"],
    "mathjax": ["latest.js", "config/Safe.js"],
    "mermaid": ["dist/mermaid.esm.min.mjs", "dist/chunks/one.mjs"],
}


def package_json() -> dict[str, dict[str, str]]:
    return dict(json.loads((NPM / "package.json").read_text(encoding="utf-8")))


@pytest.fixture
def modules(tmp_path: Path) -> Path:
    """Make packages that have the layout and the versions of those of npm."""
    folder = tmp_path / "node_modules"
    for name, files in FILES.items():
        about = {"version": package_json()["devDependencies"][name]}
        for file, text in {
            "package.json": json.dumps(about),
            **dict.fromkeys(files, ""),
        }.items():
            (folder / name / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / name / file).write_text(text, encoding="utf-8")
    return folder


# -- the packages ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "file"),
    [
        ("/reveal.js@4.0.2/dist/reveal.css", "reveal.js/dist/reveal.css"),
        ("/jquery/2.0.3/jquery.min.js", "jquery/dist/jquery.min.js"),
        ("/require.js/2.1.10/require.min.js", "requirejs/require.js"),
        ("/mathjax/2.7.7/latest.js?config=all", "mathjax/latest.js"),
        ("/mathjax/2.7.7/config/Safe.js?V=2.7.7", "mathjax/config/Safe.js"),
        ("/mermaid/11.10.0/mermaid.esm.min.mjs", "mermaid/dist/mermaid.esm.min.mjs"),
        ("/mermaid/11.10.0/chunks/one.mjs", "mermaid/dist/chunks/one.mjs"),
    ],
)
def test_an_address_outside_is_a_file_of_a_package(
    modules: Path, address: str, file: str
) -> None:
    mirrors = packages.mirrors(ADDRESSES, modules)
    assert packages.file_at(ELSEWHERE + address, mirrors) == modules / file


@pytest.mark.parametrize(
    "address",
    [
        f"{ELSEWHERE}/reveal.js@4.0.2/dist/reveal.mjs",
        f"{ELSEWHERE}/reveal.js@4.0.2/dist/",
        f"{ELSEWHERE}/reveal.js@4.0.3/dist/reveal.js",
        f"{ELSEWHERE}/reveal.js@4.0.2/../jquery/package.json",
        f"{ELSEWHERE}/reveal.js@4.0.2/%2e%2e/jquery/package.json",
        f"{ELSEWHERE}/jquery/2.0.3/package.json",
        f"{ELSEWHERE}/require.js/2.1.10/",
        "https://fonts.example/css?family=Lato",
        "http://elsewhere.example/reveal.js@4.0.2/dist/reveal.js",
    ],
)
def test_what_no_package_has_is_nowhere(modules: Path, address: str) -> None:
    assert packages.file_at(address, packages.mirrors(ADDRESSES, modules)) is None


def test_the_packages_are_those_that_nbconverts_deck_asks_for(modules: Path) -> None:
    addresses = packages.nbconverts_addresses()
    mirrors = packages.mirrors(addresses, modules)
    firsts = [packages.file_at(address, mirrors) for address in addresses.values()]
    # That of reveal.js is a folder.
    assert firsts[0] is None and None not in firsts[1:]


def test_a_package_of_another_version_is_not_taken_for_it(modules: Path) -> None:
    newer = {**ADDRESSES, "mermaid": ADDRESSES["mermaid"].replace("11.10.0", "12.0.1")}
    with pytest.raises(packages.CannotCompare) as refused:
        packages.mirrors(newer, modules)
    assert str(refused.value) == (
        "nbconvert's deck asks for mermaid 12.0.1, and 11.10.0 is here: put that version into"
        " slides/npm/package.json, and run `npm install --prefix slides/npm`."
    )


def test_the_lock_of_npm_has_a_hash_for_each_package_and_no_address() -> None:
    lock = json.loads((NPM / "package-lock.json").read_text(encoding="utf-8"))
    root = lock["packages"].pop("")
    wanted = package_json()
    assert root["dependencies"] == wanted["dependencies"]
    assert root["devDependencies"] == wanted["devDependencies"]
    for name, package in lock["packages"].items():
        assert package["integrity"].startswith("sha512-"), name
        assert "resolved" not in package, name


def test_what_the_benchmark_alone_needs_is_installed_for_it_alone() -> None:
    lock = json.loads((NPM / "package-lock.json").read_text(encoding="utf-8"))
    always = [name for name, package in lock["packages"].items() if not package.get("dev")]
    assert {"node_modules/axe-core", "node_modules/socket.io-client"} <= {*always}
    assert not [name for name in always if re.search("jquery|mathjax|mermaid|reveal", name)]


# -- what is missing ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", FILES)
def test_without_a_package_a_sentence_says_what_brings_it(
    name: str,
    modules: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (modules / name).rename(modules / "gone")
    monkeypatch.setattr(packages, "MODULES", modules)
    assert bench.main(["--quick"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == (
        f"deck: The package {name} of npm is not here:"
        " `npm ci --prefix slides/npm` brings it.\n"
    )


def test_without_a_browser_a_sentence_says_so(
    modules: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    (tmp_path / "axe.min.js").write_text("", encoding="utf-8")
    monkeypatch.setattr(axe, "AXE", tmp_path / "axe.min.js")
    monkeypatch.setattr(packages, "MODULES", modules)
    monkeypatch.setattr(browsers, "find_chromium", lambda: None)
    assert bench.main(["--quick"]) == 1
    assert capsys.readouterr().err == (
        "deck: No Chromium, Chrome or Edge was found on this machine:"
        " install one of them, and run this again.\n"
    )


# -- the browser -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def internet() -> internets.Internet:
    return internets.Internet([])


@pytest.fixture(scope="module")
def browser(internet: internets.Internet) -> Iterator[Browser]:
    """Start a Chromium that takes this machine for the internet."""
    try:
        with internets.browser_in(internet) as started:
            yield started
    except browsers.NoBrowser as reason:
        cannot(reason)


def page(folder: Path, body: str) -> Path:
    file = folder / "deck.html"
    file.write_text(f"<!DOCTYPE html><html lang='en'><body>{body}</body></html>", "utf-8")
    return file


def test_what_a_deck_asks_for_is_answered_here_or_refused(
    browser: Browser, internet: internets.Internet, tmp_path: Path
) -> None:
    script, picture = tmp_path / "scripts" / "one.js", tmp_path / "a picture.svg"
    script.parent.mkdir()
    script.write_text("document.title = 'answered';" * 100, encoding="utf-8")
    picture.write_text('<svg xmlns="http://www.w3.org/2000/svg"/>', encoding="utf-8")
    internet.mirrors = [packages.Mirror(f"{ELSEWHERE}/scripts/", script.parent)]
    deck = page(
        tmp_path,
        f"<script src='{ELSEWHERE}/scripts/one.js?v=1'></script>"
        "<script src='https://fonts.example/two.js'></script>"
        "<img src='a%20picture.svg' alt=''>"
        "<img src='data:image/gif;base64,R0lGODlhAQABAAAAACw=' alt=''>",
    )
    found = looks.asked(browser, internet, deck)
    assert found.requests == 4
    assert found.hosts == ["elsewhere.example", "fonts.example"]
    assert found.refused == ["https://fonts.example/two.js"]
    assert found.bytes_of_the_file == deck.stat().st_size
    compressed = found.bytes_in_all - found.bytes_of_the_file - picture.stat().st_size
    assert 0 < compressed < script.stat().st_size
    with looks.opened(browser, deck) as opened:
        assert opened.title() == "answered"


SLIDE = (
    "<div class='reveal ready'><div class='slides'><section class='present'>{}</section></div>"
)


def test_a_first_slide_is_seen_when_its_heading_is(browser: Browser, tmp_path: Path) -> None:
    assert looks.first_slide(browser, page(tmp_path, SLIDE.format("<h1>Hello</h1>"))) > 0
    below = "<section class='present'><h2>Hello</h2></section>"
    assert looks.first_slide(browser, page(tmp_path, SLIDE.format(below))) > 0


@pytest.mark.parametrize(
    "body",
    [
        "<h1>Hello</h1>",
        SLIDE.format("<h1>Hello</h1>").replace(" ready", ""),
        SLIDE.format("<h1>Hello</h1>").replace("'present'", "'future'"),
        SLIDE.format("<p>Hello</p>"),
        SLIDE.format("<h1 style='display: none'>Hello</h1>"),
        SLIDE.format("<h1 style='visibility: hidden'>Hello</h1>"),
        SLIDE.format("<h1 style='opacity: 0'>Hello</h1>"),
        SLIDE.format("<h1 style='margin-top: 200vh'>Hello</h1>"),
    ],
)
def test_before_that_it_is_not_seen(browser: Browser, tmp_path: Path, body: str) -> None:
    with pytest.raises(
        packages.CannotCompare, match=r"deck\.html shows no slide within 200 ms"
    ):
        looks.first_slide(browser, page(tmp_path, body), timeout=200)


def test_notes_that_an_audience_would_see_are_counted(
    browser: Browser,
    internet: internets.Internet,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(looks, "OFFLINE_TIMEOUT", 200)
    notes = "<aside class='notes'>Smile.</aside>"
    deck = page(
        tmp_path,
        f"{notes}{notes}<div style='display: none'>{notes}</div><aside class='notes'></aside>",
    )
    assert looks.offline(browser, deck) == looks.Offline(starts=False, notes_in_sight=2)


# -- a deck in the browser ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build a deck of three slides: the page has a fault, two slides have another."""
    folder = tmp_path_factory.mktemp("small")
    faulty = '<p tabindex="3">First, please.</p>'
    texts = [f"# One\n\n{faulty}", f"## Two\n\n{faulty}", "## Three"]
    cells = []
    for text in texts:
        cells.append(new_markdown_cell(text))
        cells[-1].metadata.slideshow = {"slide_type": "slide"}
    nbformat.write(new_notebook(cells=cells), folder / "small.ipynb")
    deck = decks.build(folder / "small.ipynb", folder / "small.html")
    html = deck.read_text(encoding="utf-8")
    deck.write_text(html.replace(' lang="en"', "", 1), encoding="utf-8")
    return deck


def test_a_deck_of_ours_starts_without_a_network(browser: Browser, small: Path) -> None:
    assert looks.offline(browser, small) == looks.Offline(starts=True, notes_in_sight=0)
    assert looks.first_slide(browser, small) > 0


def test_faults_are_counted_by_element_on_all_slides(browser: Browser, small: Path) -> None:
    try:
        axe.axe_core()
    except axe.NoAxe as reason:
        cannot(reason)
    found = looks.faults(browser, small)
    assert found.slides == 3
    assert found.by_default == {"html-has-lang": 1, "tabindex": 2}
    assert found.by_every_rule == {**found.by_default, "focus-order-semantics": 2}


# -- the figures -------------------------------------------------------------------------------


def test_the_ratios_are_those_of_pairs_in_changing_order() -> None:
    order: list[str] = []
    stocks, ours = iter([1.0, 2.0, 4.0]), iter([0.5, 1.5, 4.0])

    def stock_one() -> float:
        order.append("stock")
        return next(stocks)

    def one_of_ours() -> float:
        order.append("ours")
        return next(ours)

    row = bench.compared(3, stock_one, one_of_ours, 1)
    assert order == ["stock", "ours", "ours", "stock", "stock", "ours"]
    assert (row["stock"], row["ours"], row["ratio_of_medians"]) == (2.0, 1.5, 0.75)
    assert (row["ratio"], row["all_within"]) == (0.75, [0.5, 1.0])
    assert row["ratio_of_fastest"] == 0.5


@pytest.fixture
def results() -> Row:
    """Read what was measured last."""
    return dict(json.loads(result_file("deck").read_text(encoding="utf-8"))["results"])


def test_the_deck_that_was_measured_asks_for_nothing_and_has_no_faults(
    results: Row,
) -> None:
    assert results["asked"]["ours"]["requests"] == 1
    assert results["asked"]["ours"]["hosts"] == []
    assert results["offline"]["ours"] == {"starts": True, "notes_in_sight": 0}
    assert results["axe"]["ours"]["by_every_rule"] == {}
    assert results["axe"]["ours"]["slides"] == results["axe"]["stock"]["slides"]


def test_the_table_has_all_that_was_measured(results: Row) -> None:
    lines = [" ".join(line.split()) for line in bench.table(results)]
    asked, faults = results["asked"], results["axe"]
    for how in ("by_default", "by_every_rule"):
        assert any(
            line.endswith(f"elements {sum(faults['stock'][how].values())} 0") for line in lines
        )
    assert f"requests {asked['stock']['requests']} 1" in lines
    for row in [*results["first_slide_ms"], results["build_s"]]:
        low, high = row["quartiles"]
        assert any(
            f" {row['ratio']:.2f} {low:.2f} to {high:.2f} {row['ratio_of_fastest']:.2f}" in line
            for line in lines
        )
