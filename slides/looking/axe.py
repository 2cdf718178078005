"""What axe-core, a checker of accessibility, finds in a page as it is shown now."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.sync_api import Page

from slides.paths import AXE

# By default axe-core leaves some rules out, such as those of level AAA. Here each is on.
RUN = """async () => {
    const rules = {};
    for (const {ruleId} of axe.getRules()) rules[ruleId] = {enabled: true};
    const byElement = finding => finding.nodes.map(node => ({
        rule: finding.id,
        impact: node.impact ?? finding.impact ?? '',
        help: finding.help,
        target: node.target.flat().join(' '),
        message: [...node.any, ...node.all, ...node.none].map(check => check.message).join(' '),
    }));
    const {violations, incomplete} = await axe.run(
        document, {rules, resultTypes: ['violations', 'incomplete']});
    return {
        violations: violations.flatMap(byElement),
        unresolved: incomplete.flatMap(byElement),
    };
}"""


class NoAxe(Exception):
    """axe-core is not installed; the message is a sentence that says what installs it."""


@dataclass(frozen=True)
class Finding:
    """Elements that break a rule for the same reason, or may break it."""

    rule: str
    impact: str  # minor, moderate, serious or critical
    help: str  # what the rule asks for
    targets: tuple[str, ...]  # the elements, as CSS selectors
    message: str  # what axe-core says of these elements

    def __str__(self) -> str:
        return f"{self.rule} ({self.impact}): {self.message} {', '.join(self.targets)}"


@dataclass(frozen=True)
class Findings:
    """What is wrong with a page, and what axe-core cannot decide, so that a person has to."""

    violations: list[Finding]
    unresolved: list[Finding]


def axe_core() -> str:
    """Return the script of axe-core.

    Raises:
        NoAxe: it is not installed.
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
        page: the page, which is looked at as it is now. What is hidden is not judged.

    Returns:
        The violations, and what axe-core could not decide.

    Raises:
        NoAxe: axe-core is not installed.
    """
    program = axe_core()
    if not page.evaluate("'axe' in window"):
        page.evaluate(program)
    found = page.evaluate(RUN)
    return Findings(collect(found["violations"]), collect(found["unresolved"]))


def collect(elements: list[dict[str, str]]) -> list[Finding]:
    """Return a finding for all elements of which axe-core says the same.

    Args:
        elements: what the script `RUN` returns: a dictionary for each element.
    """
    targets: dict[tuple[str, str, str, str], list[str]] = {}
    for each in elements:
        same = (each["rule"], each["impact"], each["help"], each["message"])
        targets.setdefault(same, []).append(each["target"])
    return [
        Finding(rule, impact, text, tuple(where), message)
        for (rule, impact, text, message), where in targets.items()
    ]
