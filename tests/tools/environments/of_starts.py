"""Ways to start the door, and places from where."""

from __future__ import annotations

import shutil
import zipfile

from .row import Place, Row
from .starting import LAB, PAGE, POSIX, by_program, by_shell, variables

APART = "the rest of the kit is not beside it: unpack all of it"


def a_link(place: Place) -> None:
    (place.spare / "door.py").symlink_to(place.house / "workshop.py")
    by_program(
        """
        command = [sys.executable, "door.py", *sys.argv[2:]]
        sys.exit(subprocess.call(command, cwd=os.environ["SPARE"]))
        """
    )(place)


def a_linked_folder(place: Place) -> None:
    (place.spare / "kit").symlink_to(place.house)
    by_shell('cd "$SPARE/kit" && exec "$0" "$@"')(place)


def alone(place: Place) -> None:
    shutil.copy(place.house / "workshop.py", place.spare)
    by_program(
        "sys.exit(subprocess.call([sys.executable, *sys.argv[1:]], cwd=os.environ['SPARE']))"
    )(place)


def packed(place: Place) -> None:
    with zipfile.ZipFile(place.spare / "kit.zip", "w") as kit:
        for path in [place.house / "workshop.py", *(place.house / "tools").glob("*.py")]:
            kit.write(path, path.relative_to(place.house))
    by_program(
        """
        os.environ["PYTHONPATH"] = os.path.join(os.environ["SPARE"], "kit.zip")
        command = [sys.executable, "-m", "workshop", *sys.argv[2:]]
        sys.exit(subprocess.call(command, cwd=os.environ["SPARE"]))
        """
    )(place)


ROWS = [
    Row(
        "it is started from another folder",
        PAGE,
        by_program(
            """
            command = [sys.executable, os.path.abspath("workshop.py"), *sys.argv[2:]]
            sys.exit(subprocess.call(command, cwd=os.environ["SPARE"]))
            """
        ),
        (),
    ),
    Row(
        "it is started from a folder that is gone",
        PAGE,
        by_shell(
            'mkdir "$SPARE/gone" && cd "$SPARE/gone" && rmdir "$SPARE/gone" && shift &&'
            ' exec "$0" "$HOUSE/workshop.py" "$@"'
        ),
        (),
        systems=("linux",),
    ),
    Row("it is started by a link to it", PAGE, a_link, (), systems=POSIX),
    Row(
        "a link leads to its folder, which is set up",
        LAB,
        a_linked_folder,
        ("lab", "--version"),
        absent="Setting up",
        systems=POSIX,
    ),
    Row(
        "`python3 -m workshop`",
        PAGE,
        by_program(
            "sys.exit(subprocess.call([sys.executable, '-m', 'workshop', *sys.argv[2:]]))"
        ),
        (),
    ),
    Row(
        "`python3 - < workshop.py`",
        PAGE,
        by_program(
            """
            command = [sys.executable, "-", *sys.argv[2:]]
            sys.exit(subprocess.call(command, stdin=open("workshop.py", "rb")))
            """
        ),
        (),
    ),
    Row(
        "`exec(open('workshop.py').read())`",
        PAGE,
        by_program(
            """
            sys.argv = sys.argv[1:]
            exec(open("workshop.py", encoding="utf-8").read(), {"__name__": "__main__"})
            """
        ),
        (),
    ),
    Row("workshop.py alone, as a zip opens it that is not unpacked", APART, alone, (), code=1),
    Row("the zip itself is where Python looks", APART, packed, (), code=1),
    Row(
        "a word of ten thousand letters",
        "workshop.py: there is no verb",
        variables(),
        ("x" * 10_000,),
        code=2,
    ),
]
