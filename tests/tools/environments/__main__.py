"""Write the table of environments, which is a page: `python -m tests.tools.environments`."""

from __future__ import annotations

from .page import PAGE, page

if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
