"""The pictures of the talk: a storm, a web, and a spider that has one thread."""

from __future__ import annotations

import math
from collections.abc import Callable

from slides.drawing.pen import BLUE, BOLT, GREY, INK, NONE, PAPER, RED, SAIL, Pen, Point
from slides.drawing.things import (
    HANGING,
    STANDING,
    arrow,
    battery,
    bolt,
    cat,
    clock,
    cloud,
    envelope,
    eye,
    note,
    rain,
    snore,
    socket,
    spider,
    thread,
    web,
)

DRAWINGS: dict[str, Callable[[Pen], None]] = {}


def drawing(picture: Callable[[Pen], None]) -> Callable[[Pen], None]:
    """Register a picture under the name of its function."""
    DRAWINGS[picture.__name__] = picture
    return picture


@drawing
def title(pen: Pen) -> None:
    """A storm, and below it a spider with an umbrella, on its thread."""
    web(pen, 560, 20, 250, start=math.pi * 0.52, end=math.pi * 0.98, spokes=6, rings=6)
    cloud(pen, 250, 105, 190, 62, fill=INK, lobes=11)
    cloud(pen, 330, 128, 130, 40, lobes=9)
    bolt(pen, 150, 168, 1.25)
    bolt(pen, 430, 172, 0.8)
    rain(pen, 210, 220, 190, 6)
    rain(pen, 90, 300, 130, 4)
    rain(pen, 400, 320, 110, 4)
    thread(pen, 290, 168, 420)
    feet: list[Point] = [(-66, -58), (-92, -16), (-88, 34), (-58, 72)]
    spider(
        pen,
        290,
        462,
        1.25,
        feet=[*feet, (40, -112), (92, -16), (88, 34), (58, 72)],
        look=(0, -2),
    )
    pen.line((340, 322), (338, 270), width=4)
    pen.blob(
        (232, 300),
        (262, 248),
        (338, 222),
        (414, 248),
        (446, 300),
        (392, 284),
        (338, 296),
        (284, 284),
        fill=SAIL,
    )
    pen.line((338, 222), (320, 258), (284, 284), ink=PAPER, width=2.5)
    pen.line((338, 222), (358, 258), (392, 284), ink=PAPER, width=2.5)


@drawing
def eight_hands(pen: Pen) -> None:
    """The spider types on four machines, and has one thread."""
    thread(pen, 210, 0, 96)
    feet: list[Point] = [(-46, -66), (-128, 78), (-84, 88), (-36, 96)]
    spider(
        pen, 210, 132, 1.1, feet=[*feet, (60, -62), (128, 78), (84, 88), (36, 96)], look=(0, 5)
    )
    for x in (40, 128, 216, 304):
        pen.shape((x, 236), (x + 76, 236), (x + 84, 262), (x - 8, 262))
        for key in range(4):
            pen.dot(x + 14 + 16 * key, 249, 3)
    pen.straight((10, 264), (410, 264), width=5)
    pen.straight((50, 268), (50, 318))
    pen.straight((370, 268), (370, 318))


@drawing
def tornado(pen: Pen) -> None:
    """A whirlwind that carries letters."""
    for step in range(8):
        y = 40 + step * 33
        across = 150 * (1 - step / 8.6) ** 1.15 + 6
        x = 210 + 22 * math.sin(step * 0.9)
        turn = 0.0
        points = []
        while turn < math.tau * 0.86:
            points.append((x + across * math.cos(turn + 0.5), y + 17 * math.sin(turn + 0.5)))
            turn += 0.6
        pen.line(*points, width=4.5)
    envelope(pen, 62, 86, -0.4)
    envelope(pen, 356, 130, 0.35)
    envelope(pen, 108, 200, 0.5, 0.8)
    envelope(pen, 300, 236, -0.6, 0.75)
    bolt(pen, 366, 8, 0.6)


@drawing
def no_frame(pen: Pen) -> None:
    """An empty picture frame; the spider has made its web beside it."""
    pen.shape((20, 40), (230, 30), (236, 262), (26, 270), fill=GREY)
    pen.shape((52, 70), (200, 62), (206, 232), (56, 238))
    pen.straight((128, 0), (60, 36), width=3)
    pen.straight((128, 0), (196, 32), width=3)
    web(pen, 338, 150, 90, spokes=10, rings=5)
    spider(pen, 338, 150, 0.6, look=(-5, 0))


@drawing
def waiters(pen: Pen) -> None:
    """One spider in the middle of its web; five clocks hang in it and wait."""
    web(pen, 220, 165, 158, spokes=12, rings=5)
    spider(pen, 220, 165, 0.78)
    for number, turn in enumerate((0.2, 1.35, 2.75, 3.95, 5.3)):
        x, y = 220 + 128 * math.cos(turn), 165 + 122 * math.sin(turn)
        clock(pen, x, y, 30, 2.25 * number + 1)


@drawing
def cats(pen: Pen) -> None:
    """Three cats, pegged to a washing line by their ears, and a spider that looks on."""
    pen.line((0, 40), (150, 66), (300, 70), (470, 52), (600, 30), width=4)
    for x, top, fill in ((110, 74, PAPER), (265, 82, INK), (420, 74, PAPER)):
        for side in (-1, 1):
            peg = x + side * 28
            pen.shape(
                (peg - 5, top - 30),
                (peg + 5, top - 30),
                (peg + 5, top + 6),
                (peg - 5, top + 6),
                fill=BOLT,
                width=2.5,
            )
        cat(pen, x, top + 6, fill=fill, look=(4, 0))
    thread(pen, 548, 40, 120)
    spider(pen, 548, 144, 0.66, feet=HANGING, look=(-5, 2))


@drawing
def loop(pen: Pen) -> None:
    """The spider takes notes out of a queue; a clock and watched sockets add to its end."""
    thread(pen, 92, 0, 214)
    feet: list[Point] = [(-62, -70), (-84, -20), (-76, 36), (-46, 66)]
    spider(pen, 92, 250, feet=[*feet, (50, -84), (86, -16), (76, 40), (48, 68)], look=(5, 1))
    for step in range(4):
        note(pen, 214 + 74 * step, 246)
    pen.straight((176, 288), (500, 288), width=5)
    pen.word(325, 336, "queue", 38)
    clock(pen, 222, 78, 50, 4)
    pen.word(334, 92, "clock", 38)
    arrow(pen, (300, 118), (408, 150), (494, 222))
    eye(pen, 542, 26)
    for step in (-1, 0, 1):
        socket(pen, 542 + 62 * step, 86)
    pen.word(542, 154, "sockets", 38)
    arrow(pen, (562, 174), (556, 214), (518, 246))


@drawing
def hammock(pen: Pen) -> None:
    """The spider sleeps in a hammock of web, between two posts."""
    pen.straight((40, 30), (48, 300), width=8)
    pen.straight((392, 24), (384, 300), width=8)
    pen.straight((6, 302), (420, 302), width=5)
    for sag in (0, 16, 32, 48):
        pen.line(
            (44, 96 + sag / 2),
            (120, 168 + sag),
            (214, 196 + sag),
            (308, 168 + sag),
            (388, 92 + sag / 2),
            ink=GREY,
            width=2.5,
        )
    for x in range(86, 350, 33):
        dip = 70 * math.sin(math.pi * (x - 44) / 344)
        pen.straight((x, 112 + dip), (x + 3, 150 + dip * 1.05), ink=GREY, width=2)
    feet: list[Point] = [(-96, -26), (-100, 0), (-78, -52), (-60, 30)]
    spider(pen, 214, 170, 1.0, feet=feet, asleep=True)
    snore(pen, 264, 112)


@drawing
def tools(pen: Pen) -> None:
    """A spider with a tool in each of its eight hands."""
    feet: list[Point] = [(-70, -100), (-124, -44), (-124, 32), (-74, 92)]
    spider(pen, 210, 160, 1.0, feet=feet)
    pen.straight((140, 66), (112, 22), width=5)  # a hammer
    pen.shape((88, 30), (130, 4), (142, 22), (100, 48), fill=GREY)
    pen.straight((280, 66), (306, 18), width=5)  # a screwdriver
    pen.straight((306, 22), (314, 8), ink=GREY, width=8)
    pen.line((86, 118), (46, 110), width=6)  # a spanner
    pen.line((24, 92), (44, 98), (44, 122), (22, 126), width=6)
    pen.straight((334, 118), (382, 104), width=4)  # a pencil
    pen.shape((350, 106), (396, 92), (402, 106), (356, 120), fill=BOLT, width=3)
    pen.straight((86, 196), (38, 210), width=5)  # a brush
    pen.shape((38, 200), (12, 206), (14, 228), (42, 220), fill=RED, width=3)
    pen.straight((334, 196), (376, 206), width=4)  # a fork
    for prong in (-9, 0, 9):
        pen.straight((376, 206 + prong), (402, 212 + prong), width=3)
    pen.oval(120, 280, 22, 22, fill=NONE)  # a magnifying glass
    pen.straight((136, 252), (130, 262), width=6)
    pen.straight((284, 250), (300, 300), width=4)  # an umbrella, folded
    pen.shape((288, 262), (304, 258), (312, 308), (302, 306), fill=SAIL, width=3)


@drawing
def batteries(pen: Pen) -> None:
    """Three batteries in a row, charged by a small storm."""
    cloud(pen, 210, 64, 120, 24, fill=INK, lobes=9)
    for number, full in enumerate((1.0, 0.72, 0.4)):
        x = 36 + 126 * number
        battery(pen, x, 140, full=full)
        bolt(pen, x + 40, 82, 0.34)
    spider(pen, 335, 206, 0.42, feet=STANDING, look=(-4, 3))


@drawing
def pool(pen: Pen) -> None:
    """Threads on reels in a swimming pool, and the spider on the diving board."""
    pen.blob(
        (30, 210),
        (120, 182),
        (250, 186),
        (390, 204),
        (400, 276),
        (280, 306),
        (120, 304),
        (24, 272),
        fill=BLUE,
    )
    for x, y in ((110, 236), (205, 256), (306, 232)):
        pen.shape(
            (x - 24, y - 22),
            (x + 24, y - 22),
            (x + 24, y + 22),
            (x - 24, y + 22),
            fill=BOLT,
            width=3,
        )
        for step in (-12, -4, 4, 12):
            pen.straight((x - 24, y + step - 2), (x + 24, y + step + 2), width=2)
        pen.oval(x, y - 24, 30, 7, width=3)
        pen.oval(x, y + 24, 30, 7, width=3)
    pen.straight((0, 122), (190, 116), width=8)
    pen.straight((26, 124), (26, 200), width=5)
    spider(pen, 140, 66, 0.72, look=(4, 5))


@drawing
def web_socket(pen: Pen) -> None:
    """A socket in the wall, with a face of surprise, and a web all over it."""
    pen.shape((110, 40), (316, 34), (322, 262), (104, 268))
    pen.oval(212, 150, 84, 86)
    web(pen, 112, 44, 210, start=0.02, end=math.pi / 2 - 0.02, spokes=6, rings=6)
    for x in (180, 244):
        pen.oval(x, 138, 13, 15, fill=INK)
    pen.oval(212, 196, 10, 8, fill=INK)
    thread(pen, 376, 0, 170)
    spider(pen, 376, 196, 0.66, feet=HANGING, look=(-5, 0))


@drawing
def hat(pen: Pen) -> None:
    """A magician's hat, and the spider comes out of it instead of a rabbit."""
    feet: list[Point] = [(-84, -30), (-92, -4), (-80, 34), (-52, 54)]
    spider(pen, 200, 96, 1.05, feet=feet, look=(0, -3))
    for side in (-1, 1):  # a rabbit's ears, which are false
        x = 200 + side * 18
        pen.blob((x - 8, 66), (x - 12, 24), (x + side * 2, 2), (x + 12, 24), (x + 8, 66))
    pen.shape((112, 150), (288, 150), (274, 284), (126, 284), fill=INK)
    pen.shape((120, 176), (281, 176), (279, 204), (122, 204), fill=RED, width=3)
    pen.oval(200, 152, 126, 17, fill=INK)
    pen.straight((318, 250), (398, 168), width=8)
    pen.straight((388, 178), (398, 168), ink=BOLT, width=8)
    for spark in range(6):
        turn = spark * 1.05
        pen.dot(404 + 26 * math.cos(turn), 150 + 26 * math.sin(turn), 3.5, BOLT)


@drawing
def disguise(pen: Pen) -> None:
    """The spider with false glasses, a false nose and a moustache."""
    spider(pen, 210, 150, 1.7, look=(0, 2))
    for side in (-1, 1):
        pen.oval(210 + side * 24, 141, 24, 23, fill=NONE, ink=BOLT, width=6)
    pen.line((202, 134), (210, 130), (218, 134), ink=BOLT, width=6)
    pen.oval(210, 166, 13, 15, fill=RED, width=3)
    pen.blob(
        (210, 180),
        (180, 176),
        (150, 192),
        (176, 202),
        (210, 190),
        (244, 202),
        (270, 192),
        (240, 176),
        fill=BOLT,
        width=3,
    )


@drawing
def crate(pen: Pen) -> None:
    """A crate with a padlock, far larger than the spider that carries it."""
    feet: list[Point] = [(-60, -52), (-78, 30), (-54, 44), (-28, 50)]
    spider(pen, 210, 262, 0.62, feet=feet, look=(0, -4))
    pen.shape((66, 20), (354, 12), (362, 216), (60, 222), fill=BOLT)
    for y in (62, 112, 164):
        pen.straight((64, y + 4), (358, y - 3), width=3)
    pen.line((190, 112), (190, 84), (212, 68), (234, 84), (234, 112), width=8)
    pen.shape((174, 110), (250, 108), (252, 162), (172, 164))
    pen.dot(212, 130, 7)
    pen.straight((212, 132), (212, 148), width=5)


@drawing
def amber(pen: Pen) -> None:
    """The original: a spider of long ago, in a piece of amber."""
    pen.blob(
        (70, 190),
        (84, 92),
        (170, 34),
        (286, 44),
        (362, 120),
        (358, 224),
        (276, 292),
        (148, 286),
        fill=BOLT,
    )
    spider(pen, 216, 166, 1.0, asleep=True)
    pen.line((112, 138), (130, 102), (166, 78), ink=PAPER, width=7)
    pen.line((104, 176), (105, 166), ink=PAPER, width=7)
    for x, y in ((320, 140), (330, 156), (300, 250), (150, 246)):
        pen.oval(x, y, 6, 6, fill=NONE, width=2.5)


@drawing
def way_out(pen: Pen) -> None:
    """A door that stands open, and the spider on its way out with a suitcase."""
    pen.shape((60, 10), (230, 10), (230, 300), (60, 300), fill=INK)
    pen.shape((60, 10), (150, 40), (150, 318), (60, 300))
    pen.oval(136, 178, 7, 7, fill=BOLT, width=3)
    pen.straight((10, 302), (420, 302), width=5)
    spider(pen, 314, 212, 0.9, feet=[(-74, -30), (-84, 26), (-60, 78), (-28, 88)], look=(5, 2))
    pen.shape((352, 240), (412, 236), (414, 284), (354, 286), fill=BOLT)
    pen.line((370, 238), (382, 222), (396, 236), width=4)


@drawing
def goodbye(pen: Pen) -> None:
    """The storm is over: a small cloud, the sun, and a spider that waves."""
    pen.oval(84, 74, 40, 40, fill=BOLT)
    for step in range(10):
        turn = math.tau * step / 10
        pen.straight(
            (84 + 52 * math.cos(turn), 74 + 52 * math.sin(turn)),
            (84 + 70 * math.cos(turn), 74 + 70 * math.sin(turn)),
            ink=BOLT,
            width=4,
        )
    cloud(pen, 150, 104, 70, 18, lobes=8)
    thread(pen, 286, 0, 130)
    feet: list[Point] = [(-62, -70), (-88, -30), (-86, 24), (-58, 64)]
    spider(
        pen, 286, 172, 1.15, feet=[*feet, (76, -92), (88, -8), (86, 38), (58, 70)], look=(-3, 1)
    )
    for step in (0, 1):
        pen.line(
            (396 + 14 * step, 44 - 6 * step),
            (406 + 14 * step, 62),
            (402 + 14 * step, 84 + 6 * step),
            ink=GREY,
            width=3,
        )


# Width and height of the drawings that have a size of their own.
SIZES = {"title": (560, 570), "cats": (620, 240), "loop": (640, 350)}


def draw(name: str) -> str:
    """Return a drawing as the text of an SVG file.

    Args:
        name: one of `DRAWINGS`.
    """
    width, height = SIZES.get(name, (440, 330))
    # The seed depends on nothing else, so that no drawing changes with another.
    pen = Pen(width, height, seed=len(name))
    DRAWINGS[name](pen)
    return pen.svg()
