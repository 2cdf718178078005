"""Draw all pictures of the talk into `slides/pictures/`: `python -m slides.drawings`."""

from __future__ import annotations

from pathlib import Path

from slides.drawings.pictures import DRAWINGS, draw

PICTURES = Path(__file__).resolve().parents[1] / "pictures"


def main() -> None:
    """Draw each, and say what is to be seen in it."""
    for name, picture in DRAWINGS.items():
        (PICTURES / f"{name}.svg").write_text(draw(name), encoding="utf-8", newline="\n")
        print(f"{name}: {picture.__doc__}")


if __name__ == "__main__":
    main()
