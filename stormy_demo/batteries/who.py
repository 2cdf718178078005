"""Say which process has answered."""

from __future__ import annotations

import os

from ..sentences import SentenceHandler


class WhoHandler(SentenceHandler):
    """Says which process it is."""

    def get(self) -> None:
        """Answer with the number of the process."""
        self.write({"process": os.getpid()})
