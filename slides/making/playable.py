"""Films on a slide: in its colours, in letters for the last row, and to be played slowly.

The notebook has a film as a picture (`stormy_demo.picture`), for a reader. Here the same
picture becomes a part of the page. Its legend goes below it, and the animation is inside the
SVG: it is still until somebody asks for it, and stays so in print and without scripts.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET

from loopfilm import picture

SVG = "http://www.w3.org/2000/svg"

# About as long as a room looks at one thing, in seconds.
PLAYED = 8

# How far large letters may reach out of the picture, in its own units.
AROUND = 20

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

ET.register_namespace("", SVG)


def is_film(svg: str) -> bool:
    """Whether a picture is a film, which can be played."""
    return 'class="film"' in svg and "data-seconds=" in svg


def playable(svg: str, alt: str, name: str) -> str:
    """Make a film a part of the page.

    Args:
        svg: the film, as `stormy_demo.picture.draw` gives it.
        alt: what is to be seen in it, in words.
        name: what no other film on the page is called.

    Returns:
        HTML: the picture, its legend, and a button that a script has to show.
    """
    root = ET.fromstring(svg)
    film = next(part for part in root if part.get("class") == "film")
    start, end, top, bottom, seconds = (
        float(film.get(f"data-{what}", 0))
        for what in ("start", "end", "top", "bottom", "seconds")
    )
    slower = max(2, round(PLAYED / seconds))
    for part in root.iter():
        _recolour(part)
        # The margin of the picture is room for larger names.
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


def _recolour(part: ET.Element) -> None:
    for attribute in ("fill", "stroke"):
        colour = part.get(attribute)
        if colour == picture.RED:
            # As a bar it is what white words stand on; as words it stands on paper.
            part.set(attribute, "var(--red)" if part.tag.endswith("text") else "var(--held)")
        elif colour in COLOURS:
            part.set(attribute, COLOURS[colour])


def _animation(
    name: str, start: float, end: float, top: float, bottom: float, length: str
) -> list[ET.Element]:
    """Return a window that opens from left to right, and the line of the present moment."""
    timing = {"begin": "indefinite", "dur": length}
    definitions = ET.Element(f"{{{SVG}}}defs")
    clip = ET.SubElement(definitions, f"{{{SVG}}}clipPath", {"id": name})
    whole = {
        "x": f"{-AROUND}",
        "y": f"{top - 4:g}",
        "width": f"{picture.WIDTH + 2 * AROUND}",
        "height": f"{bottom - top + 40:g}",
    }
    window = ET.SubElement(clip, f"{{{SVG}}}rect", whole)
    opening = {"from": f"{start + AROUND:g}", "to": f"{end + AROUND:g}"}
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
