"""The notebooks in a real JupyterLab: Run All on a fresh working copy, and what is seen.

It is the JupyterLab of `lab`, and nothing in it moves: a frame that nobody sees costs as much
as one that somebody does. With one notebook somebody chooses each theme, and makes the window
narrow: to draw a notebook again costs as much as to run a third of it. In the others the first
film gets what a theme and a narrow window give it: the word that says whether the theme is
light, and little room.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.paths import ROOT
from tools.copies import copy_folder, copy_solutions

from .conftest import PATIENCE

NOTEBOOKS = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))
TALL = 12_000  # pixels of a notebook in one picture; browsers draw few more
SIZE = {"width": 1200, "height": 1000}
# JupyterLab takes out cells that are out of sight, and their stars with them.
ALL_CELLS = '{"windowingMode": "none"}'
# Puts an end to what moves: the sign that it is loading, and the cursor. While the page is
# unseen, no notebook is drawn: each output would have all that is below it laid out anew.
STILL = """
    const still = new CSSStyleSheet();
    still.replaceSync(
        '*, ::before, ::after { animation: none !important; transition: none !important; }'
        + ' html[data-unseen] .jp-Notebook { display: none !important; }');
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, still];
"""
# What says that the kernel has nothing to do.
IDLE = ".jp-Notebook-ExecutionIndicator[data-status=idle]"
# Milliseconds from one question to the next. Without it each frame is drawn to ask again.
POLL = 100
# Whether all cells were run before some milliseconds had passed.
RUN_ALL = """patience => Promise.race([
    window.jupyterapp.commands.execute('notebook:run-all-cells').then(() => true),
    new Promise(resolve => setTimeout(resolve, patience, false)),
])"""
# What each theme says of itself, and what that does to a film.
THEMES = {
    "JupyterLab Light": "true",
    "JupyterLab Dark": "false",
    "JupyterLab Dark High Contrast": "false",
}
FILTERS = {"true": "none", "false": "invert(1) hue-rotate(180deg)"}
# The one in which themes are chosen, and the window is made narrow.
DRAWN_AGAIN = "01_callbacks"
NARROW = "film => film.parentElement.scrollWidth > film.parentElement.clientWidth"
# Put a folder here to keep screenshots of every notebook, light and dark.
PICTURES = os.environ.get("STORMY_PICTURES")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run JupyterLab on a fresh working copy, in a room of its own, and give its address."""
    room = tmp_path_factory.mktemp("lab")
    (room / "work").mkdir()
    copy_folder(ROOT / "notebooks", room / "work")
    copy_solutions(ROOT / "exercises", room / "work" / "solutions")
    shutil.copytree(ROOT / "slides" / "pictures", room / "slides" / "pictures")
    settings = room / "settings" / "@jupyterlab" / "notebook-extension"
    settings.mkdir(parents=True)
    (settings / "tracker.jupyterlab-settings").write_text(ALL_CELLS)
    env = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "JUPYTER_PREFER_ENV_PATH": "1",
        "JUPYTER_CONFIG_DIR": str(room / "config"),
        "JUPYTERLAB_WORKSPACES_DIR": str(room / "workspaces"),
        "JUPYTERLAB_SETTINGS_DIR": str(room / "settings"),
    }
    options = ["--no-browser", "--ServerApp.port=0", "--IdentityProvider.token=t"]
    options += [f"--ServerApp.root_dir={room}", "--LabApp.expose_app_in_browser=True"]
    command = [sys.executable, "-m", "tools.lab", str(ROOT / "notebooks" / "none"), *options]
    with subprocess.Popen(
        command, env=env, cwd=room, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as server:
        assert server.stdout
        try:
            for line in server.stdout:
                if address := re.search(r"http://127\.0\.0\.1:\d+", line):
                    break
            else:
                pytest.fail("JupyterLab did not start")
            # Its log must be read on, or it would stop at a full pipe.
            threading.Thread(target=server.stdout.read, daemon=True).start()
            yield address[0]
        finally:
            server.terminate()
            server.wait()


@pytest.fixture(scope="module")
def window(browser: Browser, lab: str) -> Iterator[Page]:
    """A window for JupyterLab: to load it takes as long as to run a notebook in it."""
    context = browser.new_context(viewport=SIZE)
    context.add_init_script(STILL)
    yield context.new_page()
    context.close()


@pytest.fixture(scope="module", params=NOTEBOOKS)
def name(request: pytest.FixtureRequest, lab: str, window: Page) -> Iterator[str]:
    """A notebook that somebody runs all of, looks at, and closes without saving it."""
    open_notebook(window, lab, request.param)
    assert window.evaluate(RUN_ALL, PATIENCE), "it does not end"
    window.evaluate("delete document.documentElement.dataset.unseen")
    yield request.param
    window.evaluate(
        "for (const each of [...window.jupyterapp.shell.widgets('main')]) each.dispose()"
    )


@pytest.fixture
def page(window: Page, name: str) -> Iterator[Page]:
    """The window with the notebook, as all cells were run."""
    yield window
    window.set_viewport_size(SIZE)


def stars(page: Page) -> int:
    """How many cells say [*], also those that are scrolled out of sight."""
    return page.locator(".jp-Notebook .jp-InputPrompt", has_text="*").count()


def test_run_all_ends_with_no_star_no_dialog_and_every_picture(name: str, page: Page) -> None:
    last = page.locator(".jp-Notebook .jp-CodeCell .jp-InputPrompt").last
    expect(last).to_have_text(re.compile(r"\[\d+\]:"))
    expect(page.locator(IDLE)).to_be_visible()

    assert stars(page) == 0
    assert page.locator(".jp-Dialog").count() == 0
    assert page.locator('[data-mime-type="application/vnd.jupyter.error"]').count() == 0
    films = page.locator('.jp-OutputArea img[src^="data:image/svg+xml"]')
    source = (ROOT / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8")
    assert films.count() == source.count("data:image/svg+xml")
    drawings = page.locator(".jp-MarkdownOutput img")
    assert drawings.count() == source.count("slides/pictures/")
    for pictures in (films, drawings):
        seen = pictures.evaluate_all(
            "all => all.map(each => [each.complete && each.naturalWidth > 0, each.alt])"
        )
        assert all(is_there and words for is_there, words in seen), seen
    if name == DRAWN_AGAIN:
        assert films.count()
        assert_dark_in_the_dark(page, films.first)
        assert_readable_in_a_narrow_window(page, films.first)
    elif films.count():
        assert_dark_if_the_theme_says_so(films.first)
        assert_readable_in_little_room(films.first)
    assert_answers_are_folded(page, source)
    if PICTURES:
        keep_pictures(page, name)


def assert_answers_are_folded(page: Page, source: str) -> None:
    tagged = [
        c for c in json.loads(source)["cells"] if "answer" in c["metadata"].get("tags", [])
    ]
    folded = page.locator(".jp-MarkdownCell details")
    assert folded.count() == len(tagged)
    for text in folded.all_text_contents():
        assert "**" not in text and "`" not in text, f"it is shown as it was written: {text}"
    inside = folded.first.locator("p, ul, ol").first
    expect(inside).to_be_hidden()
    folded.first.locator("summary").click()
    expect(inside).to_be_visible()


def assert_dark_in_the_dark(page: Page, film: Locator) -> None:
    now = page.evaluate("document.body.dataset.jpThemeName")
    # The theme that is shown comes first: to change it costs as much as a few cells.
    for theme in sorted(THEMES, key=lambda theme: theme != now):
        if theme != now:
            change_theme(page, theme)
        is_light = THEMES[theme]
        assert page.evaluate("document.body.dataset.jpThemeLight") == is_light
        expect(film).to_have_css("filter", FILTERS[is_light])


def assert_dark_if_the_theme_says_so(film: Locator) -> None:
    found = film.evaluate(
        """film => {
            const {dataset} = document.body;
            const before = dataset.jpThemeLight;
            const found = ['true', 'false'].map(isLight => {
                dataset.jpThemeLight = isLight;
                return [isLight, getComputedStyle(film).filter];
            });
            dataset.jpThemeLight = before;
            return Object.fromEntries(found);
        }"""
    )
    assert found == FILTERS


def assert_readable_in_a_narrow_window(page: Page, film: Locator) -> None:
    usual = page.viewport_size
    assert usual
    page.set_viewport_size({"width": 700, "height": 1000})
    page.wait_for_function(NARROW, arg=film.element_handle(), polling=POLL)
    assert film.evaluate("film => film.clientWidth") == 600
    page.set_viewport_size(usual)


def assert_readable_in_little_room(film: Locator) -> None:
    film.evaluate("film => { film.parentElement.style.width = '500px'; }")
    assert film.evaluate(NARROW)
    assert film.evaluate("film => film.clientWidth") == 600
    film.evaluate("film => { film.parentElement.style.width = ''; }")


def open_notebook(page: Page, lab: str, name: str) -> None:
    """Open a notebook unseen, and wait for its kernel."""
    path = f"work/{name}.ipynb"
    if page.url.startswith(lab):
        command(page, "docmanager:open", path=path)
    else:
        page.goto(f"{lab}/lab/tree/{path}?token=t&reset")
    page.evaluate("document.documentElement.dataset.unseen = ''")
    page.wait_for_function(
        "path => window.jupyterapp?.shell.currentWidget?.context?.path === path",
        arg=path,
        polling=POLL,
    )
    page.wait_for_selector(".jp-Notebook .jp-CodeCell", state="attached")
    wait_until_ready(page)
    expect(page.locator(IDLE)).to_be_visible()


@pytest.mark.parametrize("name", ["01_callbacks"], indirect=True)
def test_an_exercise_is_answered_checked_and_its_solution_unfolded(page: Page) -> None:
    def cell(begin: str) -> Locator:
        editor = page.locator(".cm-content", has_text=re.compile(rf"^\s*{re.escape(begin)}"))
        return page.locator(".jp-Notebook .jp-CodeCell").filter(has=editor)

    check = cell('check("delayed_answer")')
    expect(check.locator(".jp-OutputArea")).to_contain_text("Not done yet.")
    unfolded = cell('solution("delayed_answer")').locator("details pre")
    expect(unfolded).to_be_hidden()
    unfolded.locator("xpath=..").locator("summary").click()
    expect(unfolded).to_be_visible()

    exercise = ROOT / "exercises/01_callbacks/delayed_answer"
    wrong, right = exercise / "wrong/holds_the_loop.py", exercise / "solution.py"
    for answer, verdict in ((wrong, "Not right yet."), (right, "Right.")):
        cell("%%exercise delayed_answer").locator(".cm-content").click()
        page.keyboard.press("ControlOrMeta+a")
        text = f"%%exercise delayed_answer\n{answer.read_text(encoding='utf-8')}"
        page.keyboard.insert_text(text)
        page.keyboard.press("Shift+Enter")
        page.keyboard.press("Shift+Enter")
        expect(check.locator(".jp-OutputArea b").first).to_have_text(verdict)
        if PICTURES:
            name = f"exercise-{answer.parent.name}-{answer.stem}.png"
            check.screenshot(path=Path(PICTURES) / name)


def command(page: Page, name: str, **arguments: object) -> None:
    """Give one of JupyterLab's commands, as its menus do, and do not wait for its end."""
    page.evaluate(
        "([name, arguments]) => { window.jupyterapp.commands.execute(name, arguments); }",
        [name, arguments],
    )


def wait_until_ready(page: Page) -> None:
    """Wait for the notebook, with all of its cells, and for its kernel."""
    shown = page.evaluate(
        """async () => {
            await window.jupyterapp.restored;
            const panel = window.jupyterapp.shell.currentWidget;
            await panel.context.ready;
            await panel.sessionContext.ready;
            return panel.content.notebookConfig.windowingMode;
        }"""
    )
    assert shown == "none"


def change_theme(page: Page, theme: str) -> None:
    command(page, "apputils:change-theme", theme=theme)
    page.wait_for_function(
        "theme => document.body.dataset.jpThemeName === theme",
        arg=theme,
        polling=POLL,
    )
    page.wait_for_selector("#jupyterlab-splash", state="detached")


def keep_pictures(page: Page, name: str) -> None:
    outer = page.locator(".jp-WindowedPanel-outer").first
    height = int(outer.evaluate("notebook => notebook.scrollHeight"))
    page.set_viewport_size({"width": 1200, "height": TALL + 200})
    for theme in ("Light", "Dark"):
        change_theme(page, f"JupyterLab {theme}")
        for part, top in enumerate(range(0, height, TALL), 1):
            outer.evaluate("(notebook, top) => notebook.scrollTo(0, top)", top)
            picture = f"{name}-{theme.lower()}-{part}.png"
            page.screenshot(path=Path(PICTURES or ".") / picture)
