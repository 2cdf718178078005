"""What the pictures are made of: a spider, its thread and web, clouds, cats, letters."""

from __future__ import annotations

import math

from slides.drawing.pen import BLUE, BOLT, GREY, INK, NONE, PAPER, Pen, Point

# Where the left feet of a spider are, seen from its middle.
STANDING: list[Point] = [(-78, -40), (-92, 2), (-84, 46), (-58, 78)]
HANGING: list[Point] = [(-58, -74), (-86, -40), (-88, 16), (-60, 56)]


def spider(
    pen: Pen,
    x: float,
    y: float,
    size: float = 1,
    *,
    feet: list[Point] | None = None,
    look: Point = (0, 3),
    asleep: bool = False,
) -> None:
    """Draw the spider around its middle.

    Args:
        pen: what draws.
        x: its middle, from left.
        y: its middle, from above.
        size: 1 is a body of 76 units across.
        feet: where the left four are, seen from the middle, or all eight.
        look: where the pupils are, seen from the middle of each eye.
        asleep: whether its eyes are shut.
    """
    places = feet or STANDING
    if len(places) == 4:
        places = places + [(-right, down) for right, down in places]
    for foot_x, foot_y in places:
        side = -1 if foot_x < 0 else 1
        knee = (0.62 * foot_x + side * 14, 0.62 * foot_y - 26)
        pen.line(
            (x + size * side * 16, y),
            (x + size * knee[0], y + size * knee[1]),
            (x + size * foot_x, y + size * foot_y),
            width=4.5 * size**0.5,
        )
    pen.oval(x, y, 38 * size, 36 * size, fill=INK)
    for side in (-1, 1):
        eye = (x + side * 14 * size, y - 6 * size)
        if asleep:
            pen.line(
                (eye[0] - 9 * size, eye[1]),
                (eye[0], eye[1] + 6 * size),
                (eye[0] + 9 * size, eye[1]),
                ink=PAPER,
                width=4 * size**0.5,
            )
        else:
            pen.oval(*eye, 11 * size, 12 * size, fill=PAPER, ink=NONE)
            pen.dot(eye[0] + look[0] * size, eye[1] + look[1] * size, round(5 * size, 1))
    pen.line(
        (x - 9 * size, y + 17 * size),
        (x, y + 21 * size),
        (x + 9 * size, y + 17 * size),
        ink=PAPER,
        width=3.5 * size**0.5,
    )


def thread(pen: Pen, x: float, top: float, bottom: float) -> None:
    """Draw a thread to hang on, from a height down to another."""
    middle = (top + bottom) / 2
    pen.line((x, top), (x + 1.5, middle), (x, bottom), ink=GREY, width=2.5)


def cloud(
    pen: Pen,
    x: float,
    y: float,
    across: float,
    down: float,
    *,
    fill: str = PAPER,
    lobes: int = 9,
) -> None:
    """Draw a cloud around its middle; `across` and `down` are its two radii."""
    points = [
        (x + across * math.cos(turn), y + down * math.sin(turn))
        for turn in (math.tau * (step + 0.5) / lobes for step in range(lobes))
    ]
    path = f"M{points[0][0]:.1f} {points[0][1]:.1f}"
    for start, end in zip(points, points[1:] + points[:1], strict=True):
        radius = math.dist(start, end) * pen.hand.uniform(0.54, 0.62)
        path += f"A{radius:.1f} {radius:.1f} 0 0 1 {end[0]:.1f} {end[1]:.1f}"
    pen.shapes.append(f'<path d="{path}Z" fill="{fill}" stroke="{INK}" stroke-width="4.5"/>')


def bolt(pen: Pen, x: float, y: float, size: float = 1) -> None:
    """Draw a flash of lightning that comes down from a point."""
    corners = [(0, 0), (-26, 58), (-4, 54), (-30, 124), (34, 40), (10, 44), (32, 0)]
    pen.shape(*[(x + size * a, y + size * b) for a, b in corners], fill=BOLT, width=3.5)


def rain(pen: Pen, x: float, y: float, across: float, drops: int) -> None:
    """Draw a row of drops, falling to the left."""
    for step in range(drops):
        at = x + across * step / max(drops - 1, 1) + pen.hand.uniform(-8, 8)
        top = y + pen.hand.uniform(-14, 14)
        pen.straight((at, top), (at - 9, top + 30), ink=BLUE, width=3)


def web(
    pen: Pen,
    x: float,
    y: float,
    radius: float,
    *,
    start: float = 0,
    end: float = math.tau,
    spokes: int = 9,
    rings: int = 5,
) -> None:
    """Draw a web around a point, from an angle to another, in radians."""
    whole = end - start >= math.tau - 0.01
    turns = [start + (end - start) * step / (spokes - (not whole)) for step in range(spokes)]
    reach = [radius * pen.hand.uniform(0.92, 1.06) for _ in turns]
    for turn, far in zip(turns, reach, strict=True):
        tip = (x + far * math.cos(turn), y + far * math.sin(turn))
        pen.straight((x, y), tip, ink=GREY, width=2.2)
    pairs = list(zip(range(spokes), range(1, spokes), strict=False))
    if whole:
        pairs.append((spokes - 1, 0))
    for ring in range(1, rings + 1):
        for one, other in pairs:
            far = ring / (rings + 0.4)
            begin, finish = (
                (
                    x + reach[k] * far * math.cos(turns[k]),
                    y + reach[k] * far * math.sin(turns[k]),
                )
                for k in (one, other)
            )
            sag = 0.86
            middle = (
                x + ((begin[0] + finish[0]) / 2 - x) * sag,
                y + ((begin[1] + finish[1]) / 2 - y) * sag,
            )
            pen.line(begin, middle, finish, ink=GREY, width=2)


def cat(pen: Pen, x: float, y: float, *, fill: str = PAPER, look: Point = (0, 0)) -> None:
    """Draw a cat that hangs by its ears from a point, and is not pleased."""
    pen.line((x + 26, y + 112), (x + 58, y + 128), (x + 50, y + 88), (x + 64, y + 80), width=5)
    pen.blob(
        (x - 24, y + 64),
        (x - 32, y + 108),
        (x - 16, y + 136),
        (x + 16, y + 136),
        (x + 32, y + 108),
        (x + 24, y + 64),
        fill=fill,
    )
    for side in (-1, 1):
        pen.line((x + side * 12, y + 112), (x + side * 14, y + 142), width=4)
        pen.shape(
            (x + side * 36, y + 22),
            (x + side * 32, y - 12),
            (x + side * 8, y + 10),
            fill=fill,
        )
    pen.oval(x, y + 38, 40, 34, fill=fill)
    features = PAPER if fill == INK else INK
    for side in (-1, 1):
        pen.dot(x + side * 15 + look[0], y + 32 + look[1], 4.5, features)
        for rise in (-3, 5):
            pen.straight(
                (x + side * 20, y + 46 + rise / 2),
                (x + side * 52, y + 44 + rise * 2),
                ink=features if fill != INK else GREY,
                width=2,
            )
    pen.line((x - 9, y + 56), (x, y + 50), (x + 9, y + 56), ink=features, width=3)


def envelope(pen: Pen, x: float, y: float, turn: float, size: float = 1) -> None:
    """Draw a letter around its middle, turned by an angle in radians."""
    wide, high = 30 * size, 20 * size

    def at(a: float, b: float) -> Point:
        return (
            x + a * math.cos(turn) - b * math.sin(turn),
            y + a * math.sin(turn) + b * math.cos(turn),
        )

    pen.shape(at(-wide, -high), at(wide, -high), at(wide, high), at(-wide, high), width=3)
    pen.straight(at(-wide, -high), at(0, high * 0.2), at(wide, -high), width=3)


def clock(pen: Pen, x: float, y: float, radius: float, hour: float) -> None:
    """Draw a clock around its middle; `hour` is where its short hand points, 0 to 12."""
    pen.oval(x, y, radius, radius, width=3.5)
    for turn, far in ((hour / 12 * math.tau, 0.5), (hour * math.tau, 0.75)):
        tip = (x + radius * far * math.sin(turn), y - radius * far * math.cos(turn))
        pen.straight((x, y), tip, width=3)


def note(pen: Pen, x: float, y: float) -> None:
    """Draw a note with a few lines on it, around its middle."""
    pen.shape((x - 25, y - 32), (x + 25, y - 32), (x + 25, y + 32), (x - 25, y + 32), width=3)
    for line, end in ((-14, 14), (0, 8), (14, 12)):
        pen.straight((x - 14, y + line), (x + end, y + line), ink=GREY, width=2.5)


def arrow(pen: Pen, *points: Point) -> None:
    """Draw an arrow along some points."""
    pen.line(*points, ink=BLUE)
    (x, y), (tip_x, tip_y) = points[-2:]
    back = math.atan2(y - tip_y, x - tip_x)
    ends = [(math.cos(back + turn), math.sin(back + turn)) for turn in (-0.5, 0.5)]
    one, other = ((tip_x + 20 * right, tip_y + 20 * down) for right, down in ends)
    pen.straight(one, (tip_x, tip_y), other, ink=BLUE)


def socket(pen: Pen, x: float, y: float) -> None:
    """Draw a socket in the wall, around its middle."""
    pen.shape((x - 26, y - 26), (x + 26, y - 26), (x + 26, y + 26), (x - 26, y + 26), width=3)
    pen.oval(x, y, 17, 17, width=2.5)
    for side in (-1, 1):
        pen.dot(x + 7 * side, y, 3.5)


def eye(pen: Pen, x: float, y: float) -> None:
    """Draw an eye that looks down, around its middle."""
    pen.blob((x - 44, y), (x, y - 21), (x + 44, y), (x, y + 21), width=3.5)
    pen.dot(x, y + 5, 13)


def snore(pen: Pen, x: float, y: float) -> None:
    """Draw three letters Z that grow as they rise."""
    for step, size in enumerate((9, 13, 18)):
        a, b = x + step * 24, y - step * 26
        pen.straight(
            (a, b), (a + size, b), (a, b + size * 1.1), (a + size, b + size * 1.1), width=3.5
        )


def battery(pen: Pen, x: float, y: float, *, full: float = 1) -> None:
    """Draw a standing battery from its upper left corner; `full` is its charge, 0 to 1."""
    pen.shape((x + 30, y - 16), (x + 64, y - 16), (x + 64, y), (x + 30, y), fill=GREY)
    pen.shape((x, y), (x + 94, y), (x + 94, y + 170), (x, y + 170))
    top = y + 10 + 150 * (1 - full)
    pen.shape(
        (x + 10, top), (x + 84, top), (x + 84, y + 160), (x + 10, y + 160), fill=BOLT, width=2.5
    )
