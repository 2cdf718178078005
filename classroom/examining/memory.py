"""How much memory a check may take, and how much it has taken.

On Linux a request for more than the bound fails, with a `MemoryError`; and what this process
and its descendants really hold is looked at again and again, since each process has a bound of
its own, and a `MemoryError` can be caught.

What is not had: macOS keeps to no such bound and Windows has none, so there a large request is
noticed when it has been granted. On macOS only children that have ended are looked at, on
Windows none, and nowhere those whose parent has ended.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from .descendants import descendants

P = ParamSpec("P")
T = TypeVar("T")

# Bytes, beyond what the process has when the learner's code begins. What is held is refused a
# little earlier than what is asked for, so that it is noticed when requests fail.
MOST = 512 << 20
MOST_HELD = 384 << 20
ENOUGH = f"{MOST >> 20} megabytes of memory are enough"
# What a check needs: servers, clients, and a few threads.
LEAST = 24 << 20
LITTLE = 8 << 20
TRIES = 10
# Of each thread: this much of the bound is taken whether the thread uses it or not. With less,
# a recursion through C ends the process before Python notices how deep it is; 3.13 lets it
# go deeper than all others.
STACK = (5 if sys.version_info[:2] == (3, 13) else 4) << 20
# What is held by several processes is counted whole, up to here: to look closely takes time.
ROUGHLY = 128 << 20


def bound() -> None:
    """Let requests for memory fail from `MOST` on, where the system can do that.

    A bound that is lower already stays as it is.

    Raises:
        MemoryError: it leaves too little for a check.
    """
    if sys.platform != "linux":
        return
    import resource

    if not 0 <= resource.getrlimit(resource.RLIMIT_STACK)[0] <= STACK:
        threading.stack_size(STACK)
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    size = _pages("self")[0] * resource.getpagesize()
    if soft == resource.RLIM_INFINITY or size + MOST < soft:
        resource.setrlimit(resource.RLIMIT_AS, (size + MOST, hard))
    elif soft - size < LEAST:
        raise MemoryError(
            f"{soft >> 20} megabytes are too few: a check needs more, see ulimit -v"
        )


def insist(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a function, again if there is too little memory, and then with a little more.

    The bound is not lifted, since the learner's code goes on in another thread.

    Args:
        function: it.
        *args: what to call it with.
        **kwargs: the same.

    Raises:
        MemoryError: it wants more than a little.
    """
    for _ in range(TRIES):
        try:
            return function(*args, **kwargs)
        except MemoryError:
            if sys.platform == "linux":
                import resource

                soft, hard = resource.getrlimit(resource.RLIMIT_AS)
                wanted = soft + LITTLE
                is_bound = soft != resource.RLIM_INFINITY
                if is_bound and (wanted < hard or hard == resource.RLIM_INFINITY):
                    resource.setrlimit(resource.RLIMIT_AS, (wanted, hard))
    return function(*args, **kwargs)


def held() -> int:
    """Return how many bytes of memory this process and its descendants hold, as far as seen.

    If a child that has ended held more, it is that number. Where the system tells only the
    largest number there ever was, it is that one.
    """
    if sys.platform == "win32":
        return _held_on_windows()
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    ended = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit
    if sys.platform == "linux":
        return max(_held_on_linux(), ended)
    return max(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit, ended)


def _held_on_linux() -> int:
    if sys.platform != "linux":
        return 0
    import resource

    page = resource.getpagesize()
    _, resident, files = _pages("self")
    started = descendants("self")
    own = resident * page + sum(map(_unshared_with_files, started))
    if not started or own < ROUGHLY:
        return own
    # What a process has before it forks is in each of them, and is there once.
    return files * page + sum(map(_share, ("self", *started)))


def peak() -> int:
    """Return how many bytes this process has held at most, where `held` does not tell that."""
    if sys.platform == "linux":
        try:
            with open("/proc/self/status", "rb") as file:  # noqa: PTH123
                for line in file:
                    # Not `ru_maxrss`, which begins with what the parent had.
                    if line.startswith(b"VmHWM:"):
                        return int(line.split()[1]) << 10
        except (OSError, ValueError, IndexError):
            pass
    return 0


def _share(process: str) -> int:
    """Return how many bytes a process holds, with its share of what it has with others.

    What it has of files is left out.
    """
    try:
        with open(f"/proc/{process}/smaps_rollup", "rb") as file:  # noqa: PTH123
            for line in file:
                if line.startswith(b"Pss_Anon:"):
                    return int(line.split()[1]) << 10
    except (OSError, ValueError, IndexError):
        pass
    # An old system does not tell, and what has ended holds nothing.
    return _unshared_with_files(process)


def _unshared_with_files(process: str) -> int:
    if sys.platform != "linux":
        return 0
    import resource

    _, resident, shared = _pages(process)
    return (resident - shared) * resource.getpagesize()


def _pages(process: str) -> tuple[int, int, int]:
    """Return how many pages of memory a process has, holds, and shares with files."""
    try:
        with open(f"/proc/{process}/statm", "rb") as file:  # noqa: PTH123
            size, resident, shared = map(int, file.read().split()[:3])
    except (OSError, ValueError):
        return 0, 0, 0
    return size, resident, shared


def _held_on_windows() -> int:
    if sys.platform != "win32":
        return 0
    import ctypes
    from ctypes import wintypes

    class Counters(ctypes.Structure):
        _fields_ = (
            ("cb", wintypes.DWORD),
            ("PageFaultCount", wintypes.DWORD),
            ("PeakWorkingSetSize", ctypes.c_size_t),
            ("WorkingSetSize", ctypes.c_size_t),
            ("QuotaPeakPagedPoolUsage", ctypes.c_size_t),
            ("QuotaPagedPoolUsage", ctypes.c_size_t),
            ("QuotaPeakNonPagedPoolUsage", ctypes.c_size_t),
            ("QuotaNonPagedPoolUsage", ctypes.c_size_t),
            ("PagefileUsage", ctypes.c_size_t),
            ("PeakPagefileUsage", ctypes.c_size_t),
        )

    counters = Counters(cb=ctypes.sizeof(Counters))
    kernel = ctypes.WinDLL("kernel32")
    kernel.GetCurrentProcess.restype = wintypes.HANDLE
    ask = kernel.K32GetProcessMemoryInfo
    ask.argtypes = wintypes.HANDLE, ctypes.POINTER(Counters), wintypes.DWORD
    ask(kernel.GetCurrentProcess(), ctypes.byref(counters), counters.cb)
    return int(counters.PagefileUsage)
