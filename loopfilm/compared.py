"""Films beside each other, on one axis: the shorter one is drawn shorter."""

from __future__ import annotations

from dataclasses import dataclass

from .films import Film
from .picture import as_image


@dataclass(frozen=True, repr=False)
class Compared:
    """A film that shows itself on the axis of a longer one.

    Attributes:
        film: the film.
        axis: for how many seconds there is room.
    """

    film: Film
    axis: float

    def __repr__(self) -> str:
        return str(self.film)

    def svg(self) -> str:
        """Return the film as a picture, see `picture.draw`."""
        return self.film.svg(axis=self.axis)

    def _repr_html_(self) -> str:
        return as_image(self.svg(), str(self.film))


def compared(*films: Film) -> list[Compared]:
    """Return films as pictures in which a second is as long as in all the others.

    Args:
        *films: films that have ended.
    """
    axis = max((film.length for film in films), default=0)
    return [Compared(film, axis) for film in films]
