"""A kernel starts whatever other processes do with the ports of the machine."""

from __future__ import annotations

import gc
import json
import socket
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbval.kernel
import pytest
from jupyter_client.connect import LocalPortCache

from tests.kernels import PATIENCE, running_kernel
from tools import refresh


def in_a_test() -> str:
    with running_kernel() as (_, client):
        said: list[Any] = []
        client.execute_interactive("print(6 * 7)", timeout=PATIENCE, output_hook=said.append)
    return "".join(message["content"].get("text", "") for message in said)


def in_nbval() -> str:
    kernel = nbval.kernel.RunningKernel("python3", startup_timeout=PATIENCE)
    try:
        asked = kernel.execute_cell_input("print(6 * 7)", allow_stdin=False)
        while True:
            message = kernel.get_message("iopub", timeout=PATIENCE)
            if message["parent_header"].get("msg_id") == asked and message["content"].get(
                "text"
            ):
                return str(message["content"]["text"])
    finally:
        kernel.stop()


def in_refresh(page: Path) -> str:
    source = {"cell_type": "code", "id": "a", "metadata": {}, "source": "print(6 * 7)"}
    notebook: dict[str, Any] = {"cells": [source | {"outputs": [], "execution_count": None}]}
    notebook |= {"metadata": refresh.METADATA, "nbformat": 4, "nbformat_minor": 5}
    page.write_text(json.dumps(notebook), encoding="utf-8")
    return str(refresh.run(page).cells[0].outputs[0].text)


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="kernels listen on ports here")
@pytest.mark.parametrize("run", [in_a_test, in_nbval, in_refresh])
def test_a_kernel_starts_when_its_ports_are_taken_before_it_binds_them(
    run: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as somebody:
        taken = somebody.getsockname()[1]
        monkeypatch.setattr(LocalPortCache, "find_available_port", lambda _, ip: taken)
        said = run(tmp_path / "page.ipynb") if run is in_refresh else run()
    assert said == "42\n"


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="kernels listen on ports here")
def test_a_kernel_listens_in_a_folder_that_goes_with_it() -> None:
    with running_kernel() as (kernel, client):
        folder = Path(kernel.ip).parent
        assert len(list(folder.iterdir())) == 5
        assert all(len(bytes(path)) < 100 for path in folder.iterdir())
    del kernel, client
    gc.collect()
    assert not folder.exists()


@pytest.mark.parametrize("run", [in_a_test, in_refresh])
def test_a_thread_that_had_a_kernel_leaves_no_loop_open(
    run: Callable[..., str], tmp_path: Path
) -> None:
    """A test that refuses warnings would be told of it, whichever has the turn by then."""
    arguments = [tmp_path / "page.ipynb"] if run is in_refresh else []
    gc.collect()
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", ResourceWarning)
        thread = threading.Thread(target=run, args=arguments)
        thread.start()
        thread.join()
        del thread
        gc.collect()
    assert [str(warning.message) for warning in said] == []
