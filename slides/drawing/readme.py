"""Draw the two films of README.md and of the index: `python -m slides.drawing.readme`.

They show three people at a server, and are recorded anew each time.
"""

from __future__ import annotations

from loopfilm import running_apart, watch
from slides.paths import PICTURES
from stormy_demo import blocking, coroutines
from stormy_demo.backend import Backend

PEOPLE = ["ada", "grace", "alan"]


def main() -> None:
    """Record two styles, with the same visitors and the same slow backend."""
    for style in (blocking, coroutines):
        with running_apart(Backend(0.4).app) as url:
            film = watch(style.make_app(url), PEOPLE)
        name = style.__name__.rpartition(".")[2]
        svg = film.svg() + "\n"
        (PICTURES / f"{name}.svg").write_text(svg, encoding="utf-8", newline="\n")
        print(f"{name}: {film}")


if __name__ == "__main__":
    main()
