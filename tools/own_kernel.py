"""The kernel of the kit: the one that `.venv` offers, with a path and a profile of its own.

What people have in their IPython changes how cells run: a start-up file, `autoawait = False`,
an extension. And IPython looks beside the notebook before it looks for packages: a requests.py
there would be taken for the library. Standard library only, since set-up writes this.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

# In `.venv`; the packages bring the first.
SPEC = Path("share", "jupyter", "kernels", "python3", "kernel.json")
IPYTHON = Path("share", "ipython")
PROFILE = IPYTHON / "profile_default" / "ipython_kernel_config.py"

# What Jupyter gives to Python. With -P, neither Python nor IPython looks into the folder of the
# notebook first.
COMMAND = ["python", "-P", "-m", "ipykernel_launcher", "-f", "{connection_file}"]
SETTINGS = '''\
"""The settings of the kit's kernels. Set-up writes this file."""

import sys

# Last: what lies beside the notebook is found, and never in the place of a library.
sys.path.append("")

# What an installation for the whole machine may have set otherwise.
c = get_config()
c.IPKernelApp.exec_PYTHONSTARTUP = False
c.IPKernelApp.exec_files = []
c.IPKernelApp.exec_lines = []
c.IPKernelApp.extensions = []
c.ZMQInteractiveShell.ast_node_interactivity = "last_expr"
c.ZMQInteractiveShell.autoawait = True
'''
# What a finished set-up remembers, so that an older one is brought up to date.
DIGEST = hashlib.sha256("\n".join([*COMMAND, SETTINGS]).encode()).hexdigest()


def fit(venv: Path) -> None:
    """Write the profile, and have the kernel of an environment use it.

    Args:
        venv: the environment; without Jupyter it has no kernel.
    """
    profile, spec = venv / PROFILE, venv / SPEC
    profile.parent.mkdir(parents=True, exist_ok=True)
    profile.write_text(SETTINGS, encoding="utf-8")
    if not spec.is_file():
        return
    data = json.loads(spec.read_text(encoding="utf-8"))
    data["argv"] = COMMAND
    # Jupyter puts variables in where a dollar stands.
    data["env"] = {"IPYTHONDIR": str(venv / IPYTHON).replace("$", "$$")}
    # A new file in its place: that of the package may be a link into the cache of uv.
    news = spec.with_name("kernel.new.json")
    news.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    os.replace(news, spec)  # noqa: PTH105
