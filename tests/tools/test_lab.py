"""`lab`, as people use it: the copies in work/, and JupyterLab."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.houses import (
    BASE,
    NOTEBOOK,
    Outcome,
    ask,
    assert_one_sentence,
    door,
    environment,
    running_lab,
)

# -- copies ------------------------------------------------------------------------------------


def copied(house: Path) -> set[str]:
    return {
        path.relative_to(house / "work").as_posix()
        for path in (house / "work").rglob("*")
        if not path.is_dir()
    }


def make_copies(house: Path, *arguments: str, **changes: str) -> Outcome:
    """`lab` up to the point where JupyterLab would start: it says its version instead."""
    outcome = door(house, "lab", *arguments, "--version", **changes)
    assert outcome.returncode == 0, outcome
    return outcome


def say_copies(house: Path, fresh: str = "None", then: str = "") -> str:
    """What `lab` says when it has made the copies, without the time that JupyterLab takes."""
    code = f"from tools import copies; page = copies.make({fresh}); {then}"
    return subprocess.run(
        [BASE, "-c", code],
        cwd=house,
        env=environment(),
        capture_output=True,
        check=True,
        encoding="utf-8",
    ).stdout


SOLUTION = "solutions/01_callbacks/join.py"
PLAIN = {"01_callbacks.ipynb", "02_coroutines.ipynb", SOLUTION, "solutions/.copied.json"}
FIRST = "01_callbacks.ipynb"


def change(path: Path, old: str, new: str) -> None:
    """Change a file as somebody does who works with it."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_the_copies_do_not_tell_and_are_the_same_otherwise(ready: Path) -> None:
    make_copies(ready)
    assert copied(ready) == PLAIN
    copy = json.loads((ready / "work" / FIRST).read_text(encoding="utf-8"))
    expected = json.loads(NOTEBOOK)
    code, _, answer = expected["cells"]
    code.update(execution_count=None, outputs=[])
    text = "It printed the answer,\nfor all."
    text = f"<details>\n<summary>After the run</summary>\n\n{text}\n\n</details>"
    answer["source"] = text.splitlines(keepends=True)
    expected["cells"] = [code, answer]
    expected["metadata"] = copy["metadata"]
    assert copy == expected
    assert (ready / "notebooks" / FIRST).read_text(encoding="utf-8") == NOTEBOOK
    assert (ready / "work" / SOLUTION).read_text() == "answer = 42\n"


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for Node is a script")
def test_jupyterlab_starts_no_node(ready: Path, tmp_path: Path) -> None:
    node = tmp_path / "node"
    node.write_text(f"#!/bin/sh\ntouch '{tmp_path}/started'\n", encoding="utf-8")
    node.chmod(0o755)
    make_copies(ready, PATH=f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert not (tmp_path / "started").exists()


def test_a_copy_that_is_there_is_left_alone(ready: Path) -> None:
    say_copies(ready)
    mine = ready / "work" / "02_coroutines.ipynb"
    mine.write_text("my own work")
    (ready / "work" / "01_callbacks.ipynb").unlink()
    say_copies(ready)
    assert mine.read_text() == "my own work"
    assert copied(ready) == PLAIN


@pytest.fixture
def newer(ready: Path) -> Iterator[Path]:
    """A kit that has changed since somebody made their copies, and began to work with them."""
    say_copies(ready)
    change(ready / "work" / FIRST, "für alle", "for me")
    paths = [ready / "notebooks" / FIRST, next(ready.glob("exercises/*/*/solution.py"))]
    before = [path.read_bytes() for path in paths]
    change(paths[0], "für alle", "für alle und jeden")
    change(paths[1], "42", "43")
    yield ready
    for path, data in zip(paths, before, strict=True):
        path.write_bytes(data)


def test_a_copy_that_is_older_than_its_notebook_is_named_and_kept(newer: Path) -> None:
    mine = (newer / "work" / FIRST).read_bytes()
    said = make_copies(newer).stdout
    assert "work/01_callbacks.ipynb has a newer version, and stays as you left it" in said
    assert "`python3 workshop.py lab --fresh 01_callbacks`" in said
    assert "work/01_callbacks-2.ipynb" in said
    assert "02_coroutines" not in said
    assert (newer / "work" / FIRST).read_bytes() == mine


def test_when_the_newer_one_is_beside_it_nothing_is_said(newer: Path) -> None:
    said = say_copies(newer, f"'{FIRST}'")
    assert said == "The clean copy is work/01_callbacks-2.ipynb.\n"
    assert say_copies(newer) == ""
    assert "und jeden" in (newer / "work" / "01_callbacks-2.ipynb").read_text("utf-8")
    assert "for me" in (newer / "work" / FIRST).read_text("utf-8")


def test_the_newer_one_is_opened_from_then_on(newer: Path) -> None:
    say_copies(newer, f"'{FIRST}'")
    opened = say_copies(newer, then="print(page.name)")
    assert opened == "01_callbacks-2.ipynb\n"


def test_of_two_that_are_as_new_the_one_with_the_name_of_the_notebook_is_opened(
    ready: Path,
) -> None:
    say_copies(ready)
    shutil.copy(ready / "work" / FIRST, ready / "work" / "me.ipynb")
    assert say_copies(ready, then="print(page.name)") == f"{FIRST}\n"


@pytest.mark.parametrize("theirs", ["{}", "no notebook", '{"metadata": {"stormy_webber": 3}}'])
def test_a_copy_that_does_not_say_what_it_was_made_of_is_an_older_one(
    ready: Path, theirs: str
) -> None:
    say_copies(ready)
    (ready / "work" / FIRST).write_text(theirs)
    (ready / "work" / "my_own.ipynb").write_text(theirs)
    said = say_copies(ready)
    assert "work/01_callbacks.ipynb has a newer version" in said
    assert "my_own" not in said


def test_an_older_solution_that_nobody_changed_becomes_the_newer_one(newer: Path) -> None:
    assert "work/solutions" not in say_copies(newer)
    assert (newer / "work" / SOLUTION).read_text() == "answer = 43\n"


@pytest.mark.parametrize("note", [None, "no note", "[]"])
def test_an_older_solution_that_somebody_may_have_changed_is_named_and_kept(
    newer: Path, note: str | None
) -> None:
    if note is None:
        change(newer / "work" / SOLUTION, "42", "6 * 7")
    else:
        (newer / "work" / "solutions" / ".copied.json").write_text(note)
    kept = (newer / "work" / SOLUTION).read_text()
    said = say_copies(newer)
    assert f"work/{SOLUTION} has a newer version, and stays as it is" in said
    assert (newer / "work" / SOLUTION).read_text() == kept


def test_a_changed_solution_that_is_the_newest_is_kept_and_nothing_is_said(
    ready: Path,
) -> None:
    say_copies(ready)
    change(ready / "work" / SOLUTION, "42", "6 * 7")
    assert "newer" not in say_copies(ready)
    assert (ready / "work" / SOLUTION).read_text() == "answer = 6 * 7\n"


def test_links_and_checkpoints_are_not_copied(ready: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    odd, more = ready / "notebooks" / "odd", ready / "exercises" / "02_coroutines"
    (odd / ".ipynb_checkpoints").mkdir(parents=True)
    (odd / ".ipynb_checkpoints" / "old.txt").touch()
    (odd / "plain.txt").touch()
    try:
        try:
            (odd / "file").symlink_to(tmp_path / "secret.txt")
            (odd / "folder").symlink_to(tmp_path, target_is_directory=True)
        except OSError:
            pytest.skip("this system lets only administrators make symbolic links")
        if hasattr(os, "mkfifo"):
            os.mkfifo(odd / "pipe")
        (more / "linked").mkdir(parents=True)
        (more / "linked" / "solution.py").symlink_to(tmp_path / "secret.txt")
        make_copies(ready)
        assert copied(ready) == PLAIN | {"odd/plain.txt"}
    finally:
        shutil.rmtree(odd)
        shutil.rmtree(more, ignore_errors=True)


def test_nothing_is_written_where_a_link_of_the_user_s_leads(
    ready: Path, tmp_path: Path
) -> None:
    say_copies(ready)
    shutil.rmtree(ready / "work" / "solutions")
    try:
        (ready / "work" / "solutions").symlink_to(tmp_path, target_is_directory=True)
    except OSError:
        pytest.skip("this system lets only administrators make symbolic links")
    make_copies(ready)
    assert list(tmp_path.iterdir()) == []


def test_fresh_adds_a_clean_copy_beside_the_used_one(ready: Path) -> None:
    say_copies(ready)
    used = ready / "work" / "01_callbacks.ipynb"
    clean = used.read_bytes()
    used.write_text("used")
    make_copies(ready, "--fresh", "01_callbacks")
    make_copies(ready, "--fresh=01_callbacks.ipynb")
    assert copied(ready) == PLAIN | {"01_callbacks-2.ipynb", "01_callbacks-3.ipynb"}
    assert used.read_text() == "used"
    assert (ready / "work" / "01_callbacks-2.ipynb").read_bytes() == clean
    assert (ready / "work" / "01_callbacks-3.ipynb").read_bytes() == clean


def test_fresh_of_what_is_not_there(ready: Path) -> None:
    outcome = door(ready, "lab", "--fresh", "07_nothing")
    assert_one_sentence(outcome, "'07_nothing'", "01_callbacks, 02_coroutines", code=2)
    assert not (ready / "work").exists()


def test_committed_makes_no_copies(ready: Path) -> None:
    make_copies(ready, "--committed")
    assert not (ready / "work").exists()


# -- JupyterLab --------------------------------------------------------------------------------


def noting_the_switch(folder: Path) -> str:
    """An option for JupyterLab to write into a file whether predictions come first."""
    config = folder / "noting.py"
    said = f"open({str(folder / 'switch')!r}, 'w').write"
    config.write_text(f"import os\n{said}(os.environ.get('STORMY_PREDICT_FIRST', 'not set'))\n")
    return f"--config={config}"


def test_lab_opens_the_first_notebook(ready: Path, tmp_path: Path) -> None:
    kernel = tmp_path / "jupyter" / "kernels" / "python3"
    kernel.mkdir(parents=True)
    (kernel / "kernel.json").write_text(
        json.dumps({"argv": ["false"], "display_name": "not this one", "language": "python"})
    )
    noted = noting_the_switch(tmp_path)
    with running_lab(ready, noted, JUPYTER_DATA_DIR=str(tmp_path / "jupyter")) as lab:
        url, said, _ = lab
        assert "/lab/tree/work/01_callbacks.ipynb" in said[-1]
        assert b"JupyterLab" in ask(f"{url}/lab/tree/work/01_callbacks.ipynb")
        entries = json.loads(ask(f"{url}/api/contents/?content=1"))["content"]
        assert {"work", "notebooks"} <= {entry["name"] for entry in entries}
        kernels = json.loads(ask(f"{url}/api/kernelspecs"))
        assert kernels["kernelspecs"]["python3"]["spec"]["display_name"] != "not this one"
        theme = "@jupyterlab/apputils-extension:themes"
        ask(f"{url}/lab/api/settings/{theme}", "PUT", raw='{"theme": "JupyterLab Dark"}')
        ask(f"{url}/api/shutdown", "POST")
    assert (tmp_path / "switch").read_text() == "1"
    # What somebody chooses is kept, with the kit.
    [chosen] = (ready / ".venv" / "etc").rglob("themes.jupyterlab-settings")
    assert "Dark" in chosen.read_text()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends a process without asking it")
def test_lab_ends_with_the_door(ready: Path, tmp_path: Path) -> None:
    noted = noting_the_switch(tmp_path)
    with running_lab(ready, "--committed", noted, STORMY_PREDICT_FIRST="1") as (
        url,
        said,
        process,
    ):
        assert "/lab/tree/notebooks/01_callbacks.ipynb" in said[-1]
        assert b"JupyterLab" in ask(f"{url}/lab")
        process.terminate()
    with pytest.raises(OSError):
        ask(f"{url}/api/status")
    assert (tmp_path / "switch").read_text() == "not set"
