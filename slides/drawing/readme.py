"""Draw the pictures of README.md: films of three people at a server, measured now.

python -m slides.drawing.readme
"""

from __future__ import annotations

from loopfilm import running_apart, watch
from slides.paths import PICTURES
from stormy_demo import blocking, coroutines
from stormy_demo.backend import Backend

PEOPLE = ["ada", "grace", "alan"]


def main() -> None:
    """Run each style with the same visitors and the same slow backend, and keep the film."""
    PICTURES.mkdir(exist_ok=True)
    for style in (blocking, coroutines):
        with running_apart(Backend(0.4).app) as url:
            film = watch(style.make_app(url), PEOPLE)
        name = style.__name__.rpartition(".")[2]
        (PICTURES / f"{name}.svg").write_text(film.svg() + "\n", encoding="utf-8")
        print(f"{name}: {film}")


if __name__ == "__main__":
    main()
