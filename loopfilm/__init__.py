"""Who had the event loop, and when: a film of it, measured while it happens.

This makes one, and a notebook shows it as a picture::

    with film() as f:
        await asyncio.gather(fetch("ada"), fetch("grace"), fetch("alan"))
    f
"""

from .compared import Compared, compared
from .entries import NO_ANSWER, Answer, Hold, Step, Wait
from .films import Film
from .labelling import by_user, labelled
from .lanes import lane
from .mounted import handler
from .own_loop import on_own_loop
from .picture import as_image
from .recorder import film
from .serving import LOCALHOST, CannotListen, handlers_at_work, running, running_apart
from .visits import visited, watch

__all__ = [
    "LOCALHOST",
    "NO_ANSWER",
    "Answer",
    "CannotListen",
    "Compared",
    "Film",
    "Hold",
    "Step",
    "Wait",
    "as_image",
    "by_user",
    "compared",
    "film",
    "handler",
    "handlers_at_work",
    "labelled",
    "lane",
    "on_own_loop",
    "running",
    "running_apart",
    "visited",
    "watch",
]
