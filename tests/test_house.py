"""The house is in order: style, types, locks, and no trace of anybody's machine."""

import re
import subprocess
import sys
import tomllib

import pytest

from tests.paths import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def run(*command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_everything_is_formatted() -> None:
    run("ruff", "format", "--check", "--diff", ".")


def test_the_linter_is_content() -> None:
    run("ruff", "check", ".")


def test_the_types_hold() -> None:
    run("mypy")


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_the_types_of_the_door_hold_on_every_platform(platform: str) -> None:
    # In one cache, the standard library of a platform takes the place of another's, and is
    # read anew each time.
    cache = ".mypy_cache" + f"/{platform}" * (platform != sys.platform)
    run("mypy", "--platform", platform, "--cache-dir", cache, "workshop.py")


# -- the locks ---------------------------------------------------------------------------------


def pins(lock: str) -> dict[str, set[str]]:
    """The hashes of each `name==version ; marker` of a lock."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert not re.search(r"://|^\s*-", re.sub(r"^    --hash=.*", "", text, flags=re.M), re.M), (
        f"{lock} names an index, a link or a file"
    )
    entries: dict[str, set[str]] = {}
    for line in text.splitlines():
        if re.match(r"\S", line) and not line.startswith("#"):
            name = line.removesuffix("\\").strip()
            assert re.fullmatch(r"[a-z0-9-]+==[\w.]+( ; .+)?", name), f"not pinned: {line}"
            entries[name] = set()
        elif found := re.search(r"--hash=(sha256:[0-9a-f]{64})", line):
            entries[name].add(found[1])
    return entries


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-all.lock"])
def test_a_lock_has_hashes_for_every_pin(lock: str) -> None:
    assert pins(lock)
    assert [name for name, hashes in pins(lock).items() if not hashes] == []


def test_the_large_lock_agrees_with_the_small_one() -> None:
    def versions(lock: str) -> dict[str, set[str]]:
        return {name.partition(" ")[0]: hashes for name, hashes in pins(lock).items()}

    small, large = versions("requirements.lock"), versions("requirements-all.lock")
    assert small.items() <= large.items()


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", name)[0]).lower()  # type: ignore[index]


def wanted() -> list[str]:
    extras = PROJECT["optional-dependencies"].values()
    names = [*PROJECT["dependencies"], *(name for extra in extras for name in extra)]
    return sorted({canonical(name) for name in names})


@pytest.mark.parametrize("name", wanted())
def test_a_dependency_is_locked_and_has_its_reason(name: str) -> None:
    locked = {entry.partition("==")[0] for entry in pins("requirements-all.lock")}
    assert name in locked, f"{name} is in pyproject.toml and not in requirements-all.lock"
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = {canonical(code) for code in re.findall(r"`([\w.-]+)`", text)}
    assert name in named, f"CONTRIBUTING.md does not say why `{name}` is here"


# -- other people's machines -------------------------------------------------------------------


def test_no_file_knows_the_machine_that_it_was_made_on() -> None:
    git = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(git, cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this is not a git clone, so nothing says which files are the project's")
    traces = []
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        if not path.is_file() or b"\0" in path.read_bytes()[:8000]:
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if found := re.search(r"(?<![\w.}*-])/(work|root|home|Users)/\S*", line):
                traces.append(f"{name}:{number}: {found[0]}")
    assert traces == []
