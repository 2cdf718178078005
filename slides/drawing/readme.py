"""Draw the pictures of README.md: films of three people at a server, measured now.

python slides/pictures.py
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from stormy_demo import blocking, coroutines  # noqa: E402
from stormy_demo.backend import Backend  # noqa: E402
from stormy_demo.film import watch  # noqa: E402
from stormy_demo.running import running_apart  # noqa: E402

PICTURES = ROOT / "slides" / "pictures"
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
