"""What is done is shown, and kept with the working copies; where it cannot be, no trouble."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from classroom import answers, progress
from classroom.answers import check, hint, keep
from classroom.catalogue import every, folders
from classroom.places import places


def restart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget what only a kernel remembers."""
    monkeypatch.setattr(progress, "_here", {})
    for memory in ("_kept", "_checked", "_hinted"):
        monkeypatch.setattr(answers, memory, {})


@pytest.fixture(autouse=True)
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Be in a working copy, in a kernel that has just started."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.setattr(progress, "WORK", folder)
    monkeypatch.setattr(progress, "FILE", folder / ".progress.json")
    monkeypatch.delenv("STORMY_PREDICT_FIRST", raising=False)
    monkeypatch.chdir(folder)
    restart(monkeypatch)
    return folder


def answer(name: str, source: str) -> str:
    """Answer an exercise, and return what is said to it."""
    keep(name, source)
    return str(check(name))


def line_of(name: str) -> str:
    """What `progress()` says of an exercise."""
    [line] = [line for line in str(progress.progress()).splitlines() if f" {name} " in line]
    return line.strip()


@contextmanager
def soon() -> Iterator[None]:
    """Fail, and do not hang, if the block waits for the other end of a pipe."""
    before = signal.signal(signal.SIGALRM, lambda *_: pytest.fail("it hangs"))
    signal.alarm(10)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


class TestProgress:
    def test_all_exercises_are_shown_with_their_notebooks_and_minutes(self) -> None:
        shown = str(progress.progress())
        assert {place.name for place in places()} == {*every()}
        for place in places():
            assert f"\n{place.notebook}: " in f"\n{shown}"
            assert f"{place.minutes} min  {place.path}" in line_of(place.name)
            assert f"<code>{place.name}</code>" in progress.progress()._repr_html_()

    def test_a_notebook_that_is_spoiled_has_no_exercises(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name, text in {
            "01_empty": "",
            "02_list": "[]",
            "03_other": '{"cells": [1]}',
        }.items():
            (tmp_path / f"{name}.ipynb").write_text(text)
        monkeypatch.setattr("classroom.places.NOTEBOOKS", tmp_path)
        assert places.__wrapped__() == ()

    def test_a_right_answer_is_done_and_a_wrong_one_tried(self) -> None:
        answer("order_of_turns", 'answer = "b"')
        assert line_of("order_of_turns").startswith("tried")
        answer("order_of_turns", 'answer = "c"')
        assert line_of("order_of_turns").startswith("done")
        assert "01_callbacks: 1 of 4 done" in str(progress.progress())
        assert "1 of 4 done" in progress.progress()._repr_html_()

    def test_what_was_done_once_stays_done(self) -> None:
        answer("order_of_turns", 'answer = "c"')
        answer("order_of_turns", 'answer = "b"')
        assert line_of("order_of_turns").startswith("done")

    def test_it_outlives_the_kernel(self, monkeypatch: pytest.MonkeyPatch) -> None:
        answer("order_of_turns", 'answer = "c"')
        restart(monkeypatch)
        assert line_of("order_of_turns").startswith("done")

    def test_two_kernels_add_to_the_same(self, monkeypatch: pytest.MonkeyPatch) -> None:
        progress.remember("order_of_turns", "done")
        restart(monkeypatch)
        progress.remember("carry_error", "tried")
        restart(monkeypatch)
        assert progress.states() == {"order_of_turns": "done", "carry_error": "tried"}

    def test_where_the_switch_is_set_the_folder_does_not_matter(
        self, work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("STORMY_PREDICT_FIRST", "1")
        progress.remember("order_of_turns", "done")
        assert [path.name for path in work.iterdir()] == [".progress.json"]

    def test_from_the_committed_notebooks_nothing_is_written(
        self, work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        progress.remember("order_of_turns", "done")
        assert [*work.iterdir()] == []
        assert line_of("order_of_turns").startswith("done")

    @pytest.mark.parametrize(
        "spoil",
        [
            lambda file: file.write_text("no JSON"),
            lambda file: file.write_bytes(b"\xff"),
            lambda file: file.write_text("[1, 2]"),
            lambda file: file.write_text("[" * 100_000),
            lambda file: file.write_text(
                '{"order_of_turns": 3, "carry_error": [], "x": "done"}'
            ),
            lambda file: file.mkdir(),
            lambda file: file.parent.rmdir(),
        ],
    )
    def test_a_file_that_cannot_be_used_troubles_nobody(
        self, spoil: Callable[[Path], object], work: Path
    ) -> None:
        spoil(work / ".progress.json")
        assert not line_of("order_of_turns").startswith(("done", "tried"))
        progress.remember("order_of_turns", "done")
        assert line_of("order_of_turns").startswith("done")

    def test_a_spoiled_file_is_mended_by_the_next_answer(
        self, work: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (work / ".progress.json").write_text("no JSON")
        progress.remember("order_of_turns", "done")
        assert json.loads((work / ".progress.json").read_text()) == {"order_of_turns": "done"}
        assert len([*work.iterdir()]) == 1

    @pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")
    @pytest.mark.parametrize("kind", ["pipe", "socket", "device", "endless", "nowhere"])
    def test_what_is_no_file_is_replaced_by_the_next_answer(
        self, kind: str, work: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """To read it would never end, or take all memory."""
        file = work / ".progress.json"
        with socket.socket(socket.AF_UNIX) as listening:
            if kind == "pipe":
                os.mkfifo(file)
            elif kind == "socket":
                # From within the folder: the name of a socket must be short.
                listening.bind(file.name)
            else:
                to = {"device": "/dev/tty", "endless": "/dev/zero", "nowhere": "nowhere"}
                file.symlink_to(to[kind])
            with soon():
                assert not line_of("order_of_turns").startswith(("done", "tried"))
                progress.remember("order_of_turns", "done")
        restart(monkeypatch)
        assert line_of("order_of_turns").startswith("done")
        assert stat.S_ISREG(file.lstat().st_mode) and len([*work.iterdir()]) == 1

    def test_a_file_that_is_linked_is_read_and_stays(
        self, work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        mine, file = tmp_path / "mine.json", work / ".progress.json"
        mine.write_text(text := '{"order_of_turns": "done"}')
        file.symlink_to(mine)
        progress.remember("carry_error", "tried")
        restart(monkeypatch)
        assert progress.states() == {"order_of_turns": "done", "carry_error": "tried"}
        assert mine.read_text() == text

    def test_a_file_that_is_huge_is_not_read(self, work: Path) -> None:
        text = " " * progress.MOST_READ + '{"order_of_turns": "done"}'
        (work / ".progress.json").write_text(text)
        assert progress.states() == {}

    def test_a_folder_in_its_place_stays_with_what_is_in_it(self, work: Path) -> None:
        folder = work / ".progress.json"
        folder.mkdir()
        (folder / "mine.txt").write_text("mine")
        progress.remember("order_of_turns", "done")
        assert line_of("order_of_turns").startswith("done")
        assert (folder / "mine.txt").read_text() == "mine"
        assert [*work.iterdir()] == [folder]

    @pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pipes in folders")
    def test_a_pipe_in_the_place_of_what_is_written_first_holds_nobody(
        self, work: Path
    ) -> None:
        os.mkfifo(work / f".progress.json.{os.getpid()}")
        with soon():
            progress.remember("order_of_turns", "done")
        assert line_of("order_of_turns").startswith("done")


class TestWhatComesNext:
    def test_is_named_with_its_place(self) -> None:
        said = answer("order_of_turns", 'answer = "c"')
        assert "Next: `delayed_answer`, in section 6." in said

    def test_is_not_what_is_done(self) -> None:
        progress.remember("delayed_answer", "done")
        said = answer("order_of_turns", 'answer = "c"')
        assert "Next: `carry_error`, in section 7." in said
        assert "If there is time, before that: `join_in_order` (more), in section 6." in said

    def test_is_what_is_left_when_the_core_is_done(self) -> None:
        for place in places():
            if place.path == "core":
                progress.remember(place.name, "done")
        said = answer("order_of_turns", 'answer = "c"')
        assert "Next: `join_in_order` (more), in section 6." in said
        assert "before that" not in said

    def test_after_the_last_one_on_the_page_comes_the_first(self) -> None:
        said = answer("way_out", 'one = "threads"')
        first = next(place for place in places() if place.notebook == "03_trequests")
        assert "Next" not in said
        solution = (folders()["way_out"] / "solution.py").read_text("utf-8")
        assert f"Next: `{first.name}`" in answer("way_out", solution)

    def test_is_nothing_when_all_of_the_notebook_is_done(self) -> None:
        for name in every():
            progress.remember(name, "done")
        assert "Next" not in answer("order_of_turns", 'answer = "c"')


class TestAfterARightAnswer:
    def test_another_right_way_is_told_and_the_hints_are_there(self) -> None:
        solution = (folders()["join_in_order"] / "solution.py").read_text("utf-8")
        exercise = every()["join_in_order"]
        assert exercise.another_way in answer("join_in_order", solution)
        number = len(exercise.hints) + 1
        given = [str(hint("join_in_order")) for _ in range(number)]
        assert given[0] == f"{exercise.hints[0]} (1 of {number})"
        assert given[-1] == f"{exercise.another_way} ({number} of {number})"
        assert str(hint("join_in_order")).startswith("That was the last hint.")

    @pytest.mark.parametrize(
        ("name", "file", "told", "untold"),
        [
            ("polite", "solution.py", "to_thread", "setup_session"),
            ("polite", "right/to_thread.py", "setup_session", "to_thread"),
            ("monday", "solution.py", "return_exceptions", "`try`"),
            ("monday", "right/return_exceptions.py", "`try`", "return_exceptions"),
            ("three_at_once", "solution.py", "TaskGroup", "gather"),
            ("three_at_once", "right/task_group.py", "gather", "TaskGroup"),
            ("three_at_once", "right/dictionary.py", "gather", "TaskGroup"),
            ("fallback", "solution.py", "wait_for", "asyncio.timeout"),
            ("fallback", "right/wait_for.py", "asyncio.timeout", "wait_for"),
            ("one_host", "solution.py", ".mount(", "`setup_session(session"),
            ("one_host", "right/adapter.py", "`setup_session(session", ".mount("),
            ("drive_generator", "solution.py", "send(None)", "next(steps)"),
            ("drive_generator", "right/none_first.py", "next(steps)", "begin with"),
            ("drive_generator", "right/recursive.py", "next(steps)", "begin with"),
            ("at_most_n", "solution.py", "workers", "semaphore"),
            ("at_most_n", "right/token_first.py", "workers", "semaphore"),
            ("at_most_n", "right/tornado_acquire.py", "workers", "semaphore"),
            ("at_most_n", "right/workers.py", "semaphore", "workers"),
            ("at_most_n", "right/queue.py", "semaphore", "workers"),
            ("in_step", "solution.py", "in `self`", "a variable"),
            ("in_step", "right/two_loops.py", "in `self`", "a variable"),
            ("in_step", "right/id_in_self.py", "a variable", "in `self`"),
            ("carry_error", "solution.py", "by hand", "set_exception"),
            ("carry_error", "right/status_by_hand.py", "set_exception", "by hand"),
            ("carry_error", "right/send_error.py", "set_exception", "by hand"),
            ("delayed_answer", "solution.py", "one method", "remove_timeout"),
            ("delayed_answer", "right/finish.py", "one method", "remove_timeout"),
            ("delayed_answer", "right/with_timeout.py", "one method", "remove_timeout"),
            ("delayed_answer", "right/both_look.py", "remove_timeout", "one method"),
            ("delayed_answer", "right/flag.py", "remove_timeout", "one method"),
            ("join_in_order", "solution.py", "names the one", "at once"),
            ("join_in_order", "right/class.py", "names the one", "at once"),
            ("join_in_order", "right/gather.py", "names the one", "at once"),
            ("join_in_order", "right/one_by_one.py", "at once", "names the one"),
            ("join_in_order", "right/recursive.py", "at once", "names the one"),
            ("stop_when_gone", "solution.py", "create_task", "current_task"),
            ("stop_when_gone", "right/timeoutgroup.py", "create_task", "current_task"),
            ("stop_when_gone", "right/inner.py", "current_task", "create_task"),
            ("stop_when_gone", "right/event.py", "current_task", "create_task"),
            ("to_async", "solution.py", "in a second", "no second"),
            ("to_async", "right/finish_in_a_helper.py", "no second", "in a second"),
            ("find_lock", "solution.py", "for each user", "one lock"),
            ("find_lock", "right/sem.py", "for each user", "one lock"),
            ("find_lock", "right/per_user.py", "one lock", "for each user"),
            ("find_lock", "right/event.py", "one lock", "for each user"),
            ("find_lock", "right/task.py", "one lock", "for each user"),
        ],
    )
    def test_the_way_that_was_not_taken_is_told(
        self, name: str, file: str, told: str, untold: str
    ) -> None:
        said = every()[name].way_beside((folders()[name] / file).read_text("utf-8"))
        assert told in said
        assert untold not in said

    def test_the_way_is_known_by_the_code_and_not_by_what_is_written_beside_it(self) -> None:
        solution = (folders()["monday"] / "solution.py").read_text("utf-8")
        said = every()["monday"].way_beside(f"# or with return_exceptions\n{solution}")
        assert "return_exceptions" in said

    @pytest.mark.parametrize("name", [n for n, e in every().items() if hasattr(e, "checker")])
    def test_every_exercise_with_code_has_two(self, name: str) -> None:
        assert every()[name].another_way.endswith(".")
        assert every()[name].instead.endswith(".")
