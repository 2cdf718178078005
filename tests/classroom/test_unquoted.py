"""Words without quotes in a prediction get a sentence, and no traceback."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from classroom import predict, unquoted
from tests.kernels import PATIENCE, running_kernel
from tests.paths import ROOT


@pytest.fixture
def shell() -> Iterator[Any]:
    """A shell of IPython's, as a notebook has it once it has imported `classroom`."""
    made: Any = InteractiveShell(config=Config(HistoryManager={"enabled": False}))  # type: ignore[no-untyped-call]
    unquoted.register(made)
    made.user_ns["predict"] = predict
    yield made
    made.restore_sys_module_state()


class TestInANotebook:
    @pytest.mark.parametrize("begin", ["", "turns = "])
    @pytest.mark.parametrize(
        ("written", "meant"),
        [
            ("later", '"later"'),
            ("later, soon", '"later", "soon"'),
            ("(later, 'soon')", '"later", "soon"'),
            ("3, soon, ...", '3, "soon", ...'),
            ("one ends, the other begins", '"one ends", "the other begins"'),
            ("“later”, “soon”", '"later", "soon"'),
            ("one ends,\n    soon", '"one ends", "soon"'),
            ("TimeoutError, soon", '"TimeoutError", "soon"'),
        ],
    )
    def test_words_without_quotes_are_told_so(
        self,
        begin: str,
        written: str,
        meant: str,
        shell: Any,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        assert shell.run_cell(f"{begin}predict({written})").success
        assert f"Put quotes around words: predict({meant})\n" in capsys.readouterr().out

    def test_also_when_the_cell_is_run_once_more(
        self, shell: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for _ in range(2):
            assert shell.run_cell("saved = predict(saved, 0)").success
            said = capsys.readouterr().out
            assert said.startswith('Put quotes around words: predict("saved", 0)\n')

    @pytest.mark.parametrize("end", [";", "  # my guess", "; # (perhaps)"])
    def test_whatever_stands_behind_it(
        self, end: str, shell: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert shell.run_cell(f"turns = predict(one ends, soon){end}\nturns").success
        said = capsys.readouterr().out
        assert 'Put quotes around words: predict("one ends", "soon")\n' in said

    def test_the_prediction_is_empty_then_and_the_cells_below_go_on(
        self,
        shell: Any,
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setenv("STORMY_PREDICT_FIRST", "1")
        shell.run_cell("turns = predict(later, soon)")
        assert repr(shell.user_ns["turns"]) == (
            "No prediction yet: write it once more, with the quotes."
        )
        assert shell.run_cell("turns.compare(['soon', 'later'])").success
        assert "Predict first" in capsys.readouterr().out

    @pytest.mark.parametrize(
        ("cell", "found"),
        [
            ("x = 3\npredict(x)", 3),
            ("def later(): ...\npredict(later, 'soon')", ["later", "soon"]),
            ("predict(TimeoutError)", "TimeoutError"),
            ("import time\npredict(time.sleep)", "time.sleep"),
            ("import os.path\npredict(os.path)", "os.path"),
            ("from classroom import log\npredict(log)", "log"),
            ("def f(x):\n    return predict([x, 'b'])\nf('a')", ["a", "b"]),
        ],
    )
    def test_a_name_that_there_is_keeps_its_value(
        self,
        cell: str,
        found: object,
        shell: Any,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        shell.run_cell(f"{cell}.compare({found!r})")
        assert "As you predicted: " in capsys.readouterr().out

    @pytest.mark.parametrize(
        ("cell", "error"),
        [
            ("later", NameError),
            ("str(later)", NameError),
            ("predict(later + 1)", NameError),
            ("x = = 3", SyntaxError),
            ("predict(3)\nx = = 3", SyntaxError),
        ],
    )
    def test_other_errors_stay_as_they_are(
        self, cell: str, error: type[Exception], shell: Any
    ) -> None:
        result = shell.run_cell(cell)
        found = result.error_in_exec or result.error_before_exec
        assert type(found) is error

    def test_somebody_s_own_function_of_that_name_gets_no_forgiveness(self, shell: Any) -> None:
        shell.run_cell("def predict(x): ...")
        assert type(shell.run_cell("predict(later)").error_in_exec) is NameError


def test_a_kernel_that_imports_the_kit_says_it_too() -> None:
    said = []
    with running_kernel(ROOT) as (_, client):
        for cell in ("from classroom import predict", "turns = predict(one ends, soon)"):
            reply = client.execute_interactive(
                cell,
                timeout=PATIENCE,
                output_hook=lambda message: said.append(message["content"].get("text")),
            )
            assert reply["content"]["status"] == "ok"
    assert 'Put quotes around words: predict("one ends", "soon")\n' in said
