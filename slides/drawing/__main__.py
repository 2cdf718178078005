"""Draw all pictures of the talk into `slides/pictures/`: `python -m slides.drawing`."""

from __future__ import annotations

from slides.drawing.scenes import DRAWINGS, draw
from slides.paths import PICTURES


def main() -> None:
    """Draw each of them, and print what is to be seen in it."""
    for name, picture in DRAWINGS.items():
        (PICTURES / f"{name}.svg").write_text(draw(name), encoding="utf-8", newline="\n")
        print(f"{name}: {picture.__doc__}")


if __name__ == "__main__":
    main()
