"""Kernels for tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_core.utils import ensure_event_loop

from tools.kernels import Kernel

PATIENCE = 600  # seconds for whatever a kernel has to say, which a busy machine delays


@contextmanager
def running_kernel(cwd: Path | None = None) -> Iterator[tuple[Kernel, BlockingKernelClient]]:
    """Run a kernel, and give it with a client that it answers."""
    kernel = Kernel(kernel_name="python3")
    kernel.start_kernel(**({"cwd": str(cwd)} if cwd else {}))
    client = kernel.client()
    try:
        client.start_channels()
        client.wait_for_ready(timeout=PATIENCE)
        yield kernel, client
    finally:
        client.stop_channels()
        kernel.shutdown_kernel(now=True)
        # Jupyter has one for each thread, and leaves it open.
        ensure_event_loop().close()
