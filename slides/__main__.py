"""Make the deck and what goes with it: `python3 workshop.py slides`, see its `--help`."""

from __future__ import annotations

import sys
from pathlib import Path

import playwright.sync_api

from slides.looking import check
from slides.looking.browser import NoBrowser
from slides.making import deck, pages, pdf
from slides.making.notebook import CannotBuild
from slides.paths import DECK, NOTEBOOKS
from tools import usage
from tools.address import address


def main(argv: list[str] | None = None) -> int:
    """Make what was asked for, and say where it is.

    Args:
        argv: the arguments, without the name of the program; those of the process by default.

    Returns:
        0, or 1 if something cannot be made, or `--check` finds something.
    """
    arguments = usage.of_slides().parse_args(argv)
    # A browser opens it by its address, which has the whole path.
    output = (arguments.output or DECK).resolve()
    try:
        # A deck that goes elsewhere goes alone, and links to the pages would lead nowhere.
        beside = NOTEBOOKS if arguments.output is None else None
        made = deck.build(output=output, by=arguments.speaker, beside=beside)
        print(f"{made} ({kilobytes(made)}): open it in a browser; S shows the notes.")
        if arguments.pdf:
            printed = pdf.print_deck(made, made.with_suffix(".pdf"))
            print(f"{printed} ({kilobytes(printed)}): a page for each slide.")
        if arguments.notes:
            notes = pdf.print_notes(made, made.with_suffix(".notes.pdf"))
            print(f"{notes} ({kilobytes(notes)}): each slide, and what is said to it.")
        if arguments.output is None:
            # Last, since the index has links to the deck, and to the PDF if that is as new.
            print(f"{pages.build(made.parent)}: the way to the deck, and to all notebooks.")
        if told := nobodys(address()):
            print(told)
        return look(made) if arguments.check else 0
    except (CannotBuild, NoBrowser, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    except playwright.sync_api.Error as error:
        print(f"The browser gave up: {error.message.splitlines()[0]}", file=sys.stderr)
        return 1


def nobodys(address: str) -> str:
    """Return what to do if the address on the last slide leads to nobody, else nothing.

    Args:
        address: where people get the kit.
    """
    if "/OWNER/" not in address:
        return ""
    return (
        f"The QR code on the last slide leads to {address}, where nobody is:"
        " `python3 -m tools.address https://github.com/YOU/NAME` tells yours, once for all."
    )


def look(made: Path) -> int:
    """Look at a deck, say what is wrong with it, and return 1 if anything is, else 0."""
    report = check.check(made)
    for complaint in report.complaints:
        print(complaint, file=sys.stderr)
    if number := len(report.complaints):
        what = "thing is" if number == 1 else "things are"
        print(f"{number} {what} wrong with the slides.", file=sys.stderr)
        return 1
    print(f"Looked at {report.slides} slides at {check.listed(report.sizes)}: all is well.")
    return 0


def kilobytes(file: Path) -> str:
    """Return the size of a file, as in "12 kB"."""
    return f"{file.stat().st_size / 1000:.0f} kB"


if __name__ == "__main__":
    sys.exit(main())
