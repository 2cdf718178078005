"""Whom a stick is for: systems and Pythons, how their wheels are called, what a lock asks them.

What a name has to say of a system stands in the names of wheels, which uv and pip read in the
same way.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from packaging.markers import Marker
from packaging.tags import Tag, compatible_tags, cpython_tags, mac_platforms

from tools.locks import minors

GLIBC = range(5, 36)  # 2.5 to 2.35
MACOS = range(11, 16)
PATCHES = range(40)  # more releases than a Python gets


@dataclass(frozen=True)
class System:
    """A system on a kind of processor.

    Attributes:
        name: as people call it.
        os_name: as the marker of that name has it, as have the two that follow.
        sys_platform: see there.
        platform_system: see there.
        machine: its processor, as the marker `platform_machine` has it.
        platforms: how a wheel for it may end, the oldest first: what an old system can run, the
            new ones can too.
    """

    name: str
    os_name: str
    sys_platform: str
    platform_system: str
    machine: str
    platforms: tuple[str, ...]


def linux(machine: str) -> Iterator[str]:
    """Yield what wheels for Linux with glibc end with."""
    older_names = {5: "manylinux1", 12: "manylinux2010", 17: "manylinux2014"}
    for minor in GLIBC:
        yield f"manylinux_2_{minor}_{machine}"
        if minor in older_names:
            yield f"{older_names[minor]}_{machine}"


def macos(machine: str) -> Iterator[str]:
    """Yield what wheels for macOS end with."""
    seen = (name for major in MACOS for name in mac_platforms((major, 0), machine))
    yield from dict.fromkeys(seen)


POSIX_LINUX = ("posix", "linux", "Linux")
POSIX_MACOS = ("posix", "darwin", "Darwin")
SYSTEMS = (
    System("Linux x86-64", *POSIX_LINUX, "x86_64", tuple(linux("x86_64"))),
    System("Linux arm64", *POSIX_LINUX, "aarch64", tuple(linux("aarch64"))),
    System("macOS x86-64", *POSIX_MACOS, "x86_64", tuple(macos("x86_64"))),
    System("macOS arm64", *POSIX_MACOS, "arm64", tuple(macos("arm64"))),
    System("Windows x86-64", "nt", "win32", "Windows", "AMD64", ("win_amd64",)),
)


@dataclass(frozen=True)
class Pair:
    """A system, and a Python 3 on it.

    Attributes:
        system: which.
        minor: the second number of that Python's version.
    """

    system: System
    minor: int

    def __str__(self) -> str:
        """Return what people call it."""
        return f"{self.system.name}, Python {self.python}"

    @property
    def python(self) -> str:
        """Return the version of its Python, without the release."""
        return f"3.{self.minor}"

    @cached_property
    def tags(self) -> frozenset[Tag]:
        """Return the tags of all wheels that can be installed there."""
        version, name = (3, self.minor), f"cp3{self.minor}"
        return frozenset(
            (
                *cpython_tags(version, [name], self.system.platforms),
                *compatible_tags(version, name, self.system.platforms),
            )
        )

    def wants(self, marker: str) -> bool:
        """Return whether a pin with this marker is installed there.

        Args:
            marker: as a lock has it, or nothing. It is enough if one release of this Python
                wants it, since people have all of them.
        """
        return not marker or any(
            Marker(marker).evaluate(
                {
                    "os_name": self.system.os_name,
                    "sys_platform": self.system.sys_platform,
                    "platform_system": self.system.platform_system,
                    "platform_machine": self.system.machine,
                    "implementation_name": "cpython",
                    "platform_python_implementation": "CPython",
                    "python_version": self.python,
                    "python_full_version": f"{self.python}.{patch}",
                }
            )
            for patch in PATCHES
        )


def pairs() -> list[Pair]:
    """Return each system with each Python that the kit is for."""
    return [Pair(system, minor) for system in SYSTEMS for minor in minors()]
