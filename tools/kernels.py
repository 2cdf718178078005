"""Kernels that no other process can take a port from.

Jupyter looks for five free ports, and the kernel binds them a moment later. On a busy machine
somebody may have taken one by then, and the kernel does not start. These listen on sockets in a
folder of their own instead, where the system has such sockets.
"""

from __future__ import annotations

import shutil
import socket
import tempfile
import weakref

from jupyter_client.connect import ConnectionFileMixin
from jupyter_client.localinterfaces import localhost
from jupyter_client.manager import AsyncKernelManager, KernelManager
from traitlets import default


class _InAFolder(ConnectionFileMixin):
    @default("transport")
    def _sockets_if_there_are_such(self) -> str:
        return "ipc" if hasattr(socket, "AF_UNIX") else "tcp"

    @default("ip")
    def _place(self) -> str:
        if self.transport == "tcp":
            return str(localhost())
        # The path of a socket has a hundred bytes at most, and TMPDIR may have more.
        folder = tempfile.mkdtemp(prefix="kernel-", dir="/tmp")
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        return f"{folder}/socket"


class Kernel(_InAFolder, KernelManager):
    """A kernel, for code that blocks."""


class AsyncKernel(_InAFolder, AsyncKernelManager):
    """A kernel, for coroutines."""
