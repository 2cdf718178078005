"""The kit's kernel, offered to a JupyterLab that is not the kit's own.

    python3 -m tools.kernelspec PREFIX

On Binder, as on a hub, JupyterLab is the host's. It looks for kernels in PREFIX/share/jupyter,
and this one takes the place of its own there. Standard library only.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

from tools.environment import of_children
from tools.paths import PYTHON, VENV

PLACE = Path("share", "jupyter", "kernels", "python3", "kernel.json")


def offer(prefix: Path) -> Path:
    """Write what a Jupyter needs to start the kernel of `.venv`, as `lab` starts it.

    Args:
        prefix: where that Jupyter is installed.

    Returns:
        The file, which goes by the name that the notebooks ask for.
    """
    spec = json.loads((VENV / PLACE).read_text(encoding="utf-8"))
    spec["argv"][0] = str(PYTHON)
    spec["display_name"] = "Python 3 (Stormy Webber)"
    spec["env"] = spec.get("env", {}) | changes()
    there = prefix / PLACE
    there.parent.mkdir(parents=True, exist_ok=True)
    there.write_text(json.dumps(spec, indent=1) + "\n", encoding="utf-8")
    return there


def changes() -> dict[str, str]:
    """Return what the environment of such a kernel has besides that of its Jupyter."""
    wanted = of_children(STORMY_PREDICT_FIRST="1")
    # Jupyter puts its own variables in where a dollar stands.
    found = {
        name: value.replace("$", "$$")
        for name, value in wanted.items()
        if os.environ.get(name) != value
    }
    return found | {"PATH": f"{PYTHON.parent}{os.pathsep}${{PATH}}"}


def main() -> None:
    """Offer it, and say where."""
    parser = argparse.ArgumentParser(
        prog="python3 -m tools.kernelspec", description="Offer the kit's kernel to a Jupyter."
    )
    parser.add_argument("prefix", type=Path, help="where that Jupyter is installed")
    print(f"The kernel of the kit is in {offer(parser.parse_args().prefix)}.")


if __name__ == "__main__":
    main()
