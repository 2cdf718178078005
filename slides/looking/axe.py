"""What axe-core, a checker of accessibility, finds in a page as it is shown now."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page

AXE = Path(__file__).resolve().parent / "npm" / "node_modules" / "axe-core" / "axe.min.js"

# axe leaves off some rules by itself, such as those of level AAA: here each is on.
RUN = """async () => {
    const rules = {};
    for (const {ruleId} of axe.getRules()) rules[ruleId] = {enabled: true};
    const told = finding => finding.nodes.map(node => ({
        rule: finding.id,
        impact: node.impact ?? finding.impact ?? '',
        help: finding.help,
        target: node.target.flat().join(' '),
        message: [...node.any, ...node.all, ...node.none].map(check => check.message).join(' '),
    }));
    const {violations, incomplete} = await axe.run(
        document, {rules, resultTypes: ['violations', 'incomplete']});
    return {violations: violations.flatMap(told), unresolved: incomplete.flatMap(told)};
}"""


class NoAxe(Exception):
    """axe-core is not here, in a sentence that says what brings it."""


@dataclass(frozen=True)
class Finding:
    """What one rule says of some elements, all for the same reason."""

    rule: str
    impact: str  # minor, moderate, serious or critical
    help: str  # what the rule asks for
    targets: tuple[str, ...]  # the elements, as CSS selectors
    message: str  # axe's words about these elements

    def __str__(self) -> str:
        return f"{self.rule} ({self.impact}): {self.message} {', '.join(self.targets)}"


@dataclass(frozen=True)
class Findings:
    """What is wrong with a page, and what axe leaves to somebody who looks."""

    violations: list[Finding]
    unresolved: list[Finding]


def axe_core() -> str:
    """Return the program axe-core.

    Raises:
        NoAxe: it was not installed.
    """
    try:
        return AXE.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise NoAxe(
            "axe-core is not installed here: `npm ci --omit=dev --prefix slides/npm` brings it."
        ) from None


def audit(page: Page) -> Findings:
    """Let axe-core look at a page, with every rule that it has.

    Args:
        page: it is looked at as it is now. What is hidden is not judged.

    Returns:
        The violations, and what axe could not decide.

    Raises:
        NoAxe: axe-core was not installed.
    """
    program = axe_core()
    if not page.evaluate("'axe' in window"):
        page.evaluate(program)
    found = page.evaluate(RUN)
    return Findings(collect(found["violations"]), collect(found["unresolved"]))


def collect(elements: list[dict[str, str]]) -> list[Finding]:
    """Put elements of which the same is said into one finding."""
    targets: dict[tuple[str, str, str, str], list[str]] = {}
    for each in elements:
        said = (each["rule"], each["impact"], each["help"], each["message"])
        targets.setdefault(said, []).append(each["target"])
    return [
        Finding(rule, impact, text, tuple(where), message)
        for (rule, impact, text, message), where in targets.items()
    ]
