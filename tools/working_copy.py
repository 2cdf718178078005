"""What a working copy of a notebook is: it asks, and does not tell before it has asked.

It has no outputs; no cells with the tag `author`, which only tests need; and what explains an
answer, cells of text with the tag `answer`, is folded. It remembers what it was made of, since
whoever learns changes the rest.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

KEPT_IN = "stormy_webber"  # in the metadata of a copy, which Jupyter keeps
FOLDED = "<details>\n<summary>After the run</summary>\n\n{}\n\n</details>"

Json = dict[str, Any]


def working_copy(path: Path) -> Json:
    """Return a working copy of a notebook."""
    notebook: Json = json.loads(path.read_bytes())
    notebook["cells"] = [
        _asking(cell) for cell in notebook["cells"] if not _has_tag(cell, "author")
    ]
    told = [[cell["cell_type"], "".join(cell["source"])] for cell in notebook["cells"]]
    version = hashlib.sha256(json.dumps(told).encode()).hexdigest()
    notebook["metadata"][KEPT_IN] = {"notebook": path.stem, "version": version}
    return notebook


def origin(path: Path) -> tuple[str, str]:
    """Return of which notebook a file is a copy, and of which version; "" for what it hides."""
    try:
        kept = json.loads(path.read_bytes())["metadata"][KEPT_IN]
        return str(kept["notebook"]), str(kept["version"])
    except (OSError, ValueError, LookupError, TypeError):
        return "", ""


def _asking(cell: Json) -> Json:
    if cell["cell_type"] == "code":
        return cell | {"execution_count": None, "outputs": []}
    if _has_tag(cell, "answer"):
        text = FOLDED.format("".join(cell["source"]).strip())
        return cell | {"source": text.splitlines(keepends=True)}
    return cell


def _has_tag(cell: Json, tag: str) -> bool:
    return tag in cell["metadata"].get("tags", [])
