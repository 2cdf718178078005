"""What axe-core finds wrong with a page, looked for no oftener than it can differ.

By day each of its rules looks at all of a page. By night, and at another width, a page has the
same elements with the same names and roles, which `shown` makes sure of; so only the rules look
again that ask for colours or for room.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from playwright.sync_api import Page

from slides.looking import axe

# What colours decide; then what the room decides that there is, and the size of letters.
AGAIN = (
    *("color-contrast", "color-contrast-enhanced", "link-in-text-block"),
    *("target-size", "scrollable-region-focusable", "p-as-heading"),
)

# To find selectors for elements takes as long as to judge them, and few are ever told.
LOOK = """async ([only, selectors]) => {
    const rules = {};
    for (const {ruleId} of axe.getRules())
        rules[ruleId] = {enabled: only === null || only.includes(ruleId)};
    const byElement = finding => finding.nodes.map(node => ({
        rule: finding.id,
        impact: node.impact ?? finding.impact ?? '',
        help: finding.help,
        target: selectors ? node.target.flat().join(' ') : '',
        message: [...node.any, ...node.all, ...node.none].map(check => check.message).join(' '),
    }));
    const {violations, incomplete} = await axe.run(
        document, {rules, selectors, resultTypes: ['violations', 'incomplete']});
    return [violations.flatMap(byElement), incomplete.flatMap(byElement)];
}"""

# For scripts that go by what words look like: their own style, and the ground below them.
KIND = """
    const places = new Map([[null, '']]);
    const place = element => {
        if (!places.has(element)) {
            const {backgroundColor, backgroundImage, opacity} = getComputedStyle(element);
            const own = [
                element.tagName, element.className, backgroundColor, backgroundImage, opacity];
            places.set(element, `${place(element.parentElement)} ${own}`);
        }
        return places.get(element);
    };
    const kind = element => {
        const {color, font, textShadow} = getComputedStyle(element);
        return [place(element), color, font, textShadow].join();
    };
    const seen = new Set();
    const isFirst = element => {
        const before = seen.size;
        return seen.add(kind(element)).size > before;
    };
"""

# Of tokens of code that look alike, and stand on the same ground, leaves the first of a page a
# token: the others are words in their line from then on. There are thousands.
THIN_OUT = (
    f"""() => {{{KIND}"""
    + """
    const alike = [...document.querySelectorAll('pre span')].filter(token => {
        const isPlain = [...token.attributes].every(({name}) => name === 'class');
        return isPlain && !token.firstElementChild && !isFirst(token);
    });
    for (const token of alike) token.replaceWith(...token.childNodes);
    return alike.length;
}"""
)

# Has the rules for contrast, which take most of the time, judge the first of all words on a
# page that look alike.
JUDGE_ONCE = (
    f"""() => {{{KIND}"""
    + """
    for (const element of document.querySelectorAll('body *')) {
        const says = [...element.childNodes].some(
            node => node.nodeType === Node.TEXT_NODE && node.data.trim());
        const isField = element.matches('input, select, textarea');
        const judged = (says || isField) && element.checkVisibility() && isFirst(element);
        element.toggleAttribute('data-judged', judged);
    }
    const rules = ['color-contrast', 'color-contrast-enhanced'];
    axe.configure({rules: rules.map(id => ({id, selector: '[data-judged]'}))});
    return seen.size;
}"""
)

# Which elements can be seen, by their numbers.
SHOWN = """() => [...document.querySelectorAll('body *')]
    .flatMap((element, number) => element.checkVisibility(
        {visibilityProperty: true, opacityProperty: true}) ? [number] : [])"""


def thin_out(page: Page) -> int:
    """Leave one token of code of each kind on a page, before axe-core looks at it.

    Returns:
        How many tokens are mere words now.
    """
    return int(page.evaluate(THIN_OUT))


def judge_once(page: Page) -> int:
    """Have the contrast of words judged once for all that look as they do now.

    Returns:
        How many kinds of words there are.
    """
    _bring(page)
    return int(page.evaluate(JUDGE_ONCE))


def shown(page: Page) -> list[int]:
    """Return which elements of a page can be seen as it is now, counted from its beginning."""
    numbers: list[int] = page.evaluate(SHOWN)
    return numbers


def wrong(
    page: Page, resolved: Mapping[str, str], rules: Collection[str] | None = None
) -> list[str]:
    """Return what axe-core finds, and what it cannot decide and nobody has looked at yet.

    Args:
        page: the page, which is looked at as it is now.
        resolved: what axe-core cannot decide, by rule, and a pattern for the elements that a
            person has looked at; an empty pattern is for all.
        rules: those that look; without them all that axe-core has.

    Raises:
        NoAxe: axe-core is not installed.
    """
    _bring(page)
    violations, unresolved = look(page, None if rules is None else [*rules], selectors=False)
    for_all = {rule for rule, pattern in resolved.items() if not pattern}
    rest = {each["rule"] for each in unresolved} - for_all
    if found := rest | {each["rule"] for each in violations}:
        violations, unresolved = look(page, [*found], selectors=True)
    left_open = [
        f"unresolved: {each.rule}: {each.message} {target}"
        for each in axe.collect(unresolved)
        for target in each.targets
        if not (each.rule in resolved and re.search(resolved[each.rule], target))
    ]
    return [str(each) for each in axe.collect(violations)] + left_open


def _bring(page: Page) -> None:
    program = axe.axe_core()
    if not page.evaluate("'axe' in window"):
        page.evaluate(program)


def look(
    page: Page, rules: list[str] | None, *, selectors: bool
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the elements that break one of these rules, and those that may."""
    violations, unresolved = page.evaluate(LOOK, [rules, selectors])
    return violations, unresolved
