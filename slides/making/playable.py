"""Films on a slide: in its colours, readable from the last row, and played slowly on demand.

A notebook has a film as a picture (`loopfilm.picture`), for a reader. Here the same picture
becomes a part of the page. The legend is HTML below the picture, and the animation is in the
SVG: it does not run until a script starts it, and so never in print and without scripts.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

from loopfilm import picture

SVG = "http://www.w3.org/2000/svg"

# How long a film is played, about: an audience does not look at one thing for longer.
PLAYED_SECONDS = 8

# How far the larger letters of a slide may reach out of the picture, in its own units.
OVERHANG = 20

COLOURS = {
    picture.PAPER: "var(--paper)",
    picture.INK: "var(--ink)",
    picture.GREY: "var(--grey)",
    picture.FAINT: "var(--line)",
    picture.BLUE: "var(--blue)",
    picture.PINK: "var(--pause)",
    picture.GREEN: "var(--now)",
}
LEGEND = (
    ("has", "has the thread"),
    ("waits", "waits"),
    ("held", "has it too long"),
    ("beats", "heartbeat"),
)

# What a notebook has around a film, see `loopfilm.picture.as_image`.
FRAME = re.compile(
    r"""<div class="loopfilm"[^>]*>\s*(?:<style>[^<]*</style>)?\s*"""
    r"""(<img\b(?:[^>"]|"[^"]*")*>)\s*</div>"""
)

# A part of a path, see `loopfilm.picture`: where it begins, and how high it is.
SHAPE = re.compile(r"(M[\d.]+ )([\d.]+)((?:h[\d.]+)?v)([\d.]+)")

ET.register_namespace("", SVG)


def is_film(svg: str) -> bool:
    """Return whether an SVG is a film with the times that are needed to play it."""
    return 'class="film"' in svg and "data-seconds=" in svg


def has_two_lights(svg: str) -> bool:
    """Return whether an SVG is in colours that have others by night: a film, or bars."""
    return is_film(svg) or 'class="bars"' in svg


def unframed(html: str) -> str:
    """Return HTML in which nothing is around the films: a page has its own frames."""
    return FRAME.sub(r"\1", html)


def in_both_lights(svg: str) -> str:
    """Return a picture of a notebook as one that is dark if the page around it is."""
    begin, end, rest = svg.partition(">")
    return begin + end + picture.BY_NIGHT + rest


def figure(svg: str, alt: str, name: str) -> str:
    """Return a film as a part of the page.

    Args:
        svg: the film, as `loopfilm.picture.draw` gives it.
        alt: what is to be seen in it, in words.
        name: an id that nothing else on the page has.

    Returns:
        HTML: the picture, its legend, and a button. The button is hidden until a script that
        can play the film shows it.
    """
    root = ET.fromstring(svg)
    film = next(part for part in root if part.get("class") == "film")
    _leave_out_lines(film)
    start, end, top, bottom, seconds = (
        float(film.get(f"data-{what}", 0))
        for what in ("start", "end", "top", "bottom", "seconds")
    )
    # Films on one axis are played at one speed.
    slower = max(2, round(PLAYED_SECONDS / float(film.get("data-axis", seconds))))
    for part in root.iter():
        _recolour(part)
        # Names of lanes begin at the very edge, to have room for larger letters.
        if part.tag == f"{{{SVG}}}text" and part.get("x") == f"{picture.MARGIN:.1f}":
            part.set("x", "0")
    height = bottom + 26 - top
    page = ET.Element(
        f"{{{SVG}}}svg",
        {
            "viewBox": f"0 {top - 4:g} {picture.WIDTH} {height + 4:g}",
            "role": "img",
            "aria-label": alt,
            "fill": "var(--ink)",
        },
    )
    page.extend([*_animation(name, start, end, top, bottom, f"{seconds * slower:.1f}s"), film])
    film.set("clip-path", f"url(#{name})")
    for attribute in [each for each in film.attrib if each.startswith("data-")]:
        del film.attrib[attribute]
    return (
        '<div class="film" role="group" aria-label="film">'
        + ET.tostring(page, encoding="unicode")
        + '<p class="legend">'
        + "".join(f'<span class="key key-{kind}">{words}</span>' for kind, words in LEGEND)
        + f'<button type="button" hidden data-stop="Stop"'
        f' data-play="Play {slower}× slower"></button>'
        "</p></div>"
    )


def bars(svg: str, alt: str) -> str:
    """Return bars as a part of the page, in its colours.

    Args:
        svg: the picture, as `classroom.measured.bars.draw` gives it.
        alt: what it says, in words.
    """
    root = ET.fromstring(svg)
    for part in [part for part in root if part.tag.endswith(("style", "title"))]:
        root.remove(part)
    # The page is its paper.
    root.remove(next(part for part in root if part.get("width") == "100%"))
    for part in root.iter():
        _recolour(part)
    for attribute in ("width", "height", "font-family"):
        root.attrib.pop(attribute, None)
    root.set("aria-label", alt)
    return ET.tostring(root, encoding="unicode")


def _leave_out_lines(film: ET.Element) -> None:
    """Take out the lines below the rows, and move up what is below them.

    On a slide there is no room for letters that all can read, and the code stands there anyway.
    """
    gaps = [tuple(map(float, gap.split("-"))) for gap in film.get("data-below", "").split()]

    def moved(y: float) -> float:
        return y - sum(min(max(y - start, 0), end - start) for start, end in gaps)

    def moved_shape(shape: re.Match[str]) -> str:
        y, height = float(shape[2]), float(shape[4])
        return f"{shape[1]}{moved(y):g}{shape[3]}{moved(y + height) - moved(y):g}"

    for part in [part for part in film if part.get("class") == "below"]:
        film.remove(part)
    for part in film.iter():
        if (shape := part.get("d")) is not None:
            part.set("d", SHAPE.sub(moved_shape, shape))
        if "y" in part.attrib:
            y = float(part.attrib["y"])
            part.set("y", f"{moved(y):g}")
            if "height" in part.attrib:
                height = float(part.attrib["height"])
                part.set("height", f"{moved(y + height) - moved(y):g}")
    film.set("data-bottom", f"{moved(float(film.get('data-bottom', 0))):g}")


def _recolour(part: ET.Element) -> None:
    for attribute in ("fill", "stroke"):
        colour = part.get(attribute)
        if colour == picture.RED:
            # White words on a red bar need a darker red than red words on paper do.
            part.set(attribute, "var(--red)" if part.tag.endswith("text") else "var(--held)")
        elif colour in COLOURS:
            part.set(attribute, COLOURS[colour])


def _animation(
    name: str, start: float, end: float, top: float, bottom: float, length: str
) -> list[ET.Element]:
    """Return what moves when a film is played, as two elements of its SVG.

    One is a clip path that widens from left to right and uncovers the film; the other is a
    line that marks the present moment.

    Args:
        name: the id of the clip path.
        start: where the film begins, from left.
        end: where it ends.
        top: its upper edge.
        bottom: its lower edge.
        length: how long it is played, as SVG writes it ("8.0s").
    """
    timing = {"begin": "indefinite", "dur": length}
    definitions = ET.Element(f"{{{SVG}}}defs")
    clip = ET.SubElement(definitions, f"{{{SVG}}}clipPath", {"id": name})
    whole = {
        "x": f"{-OVERHANG}",
        "y": f"{top - 4:g}",
        "width": f"{picture.WIDTH + 2 * OVERHANG}",
        "height": f"{bottom - top + 40:g}",
    }
    window = ET.SubElement(clip, f"{{{SVG}}}rect", whole)
    opening = {"from": f"{start + OVERHANG:g}", "to": f"{end + OVERHANG:g}"}
    ET.SubElement(window, f"{{{SVG}}}animate", {"attributeName": "width", **opening, **timing})
    present = ET.Element(
        f"{{{SVG}}}path",
        {
            "d": f"M0 {top:g}V{bottom:g}",
            "stroke": "var(--bolt)",
            "stroke-width": "3",
            "visibility": "hidden",
        },
    )
    shown = {"attributeName": "visibility", "to": "visible"}
    ET.SubElement(present, f"{{{SVG}}}set", {**shown, **timing})
    moved = {"attributeName": "transform", "type": "translate"}
    ET.SubElement(
        present,
        f"{{{SVG}}}animateTransform",
        {**moved, "from": f"{start:g} 0", "to": f"{end:g} 0", **timing},
    )
    return [definitions, present]
