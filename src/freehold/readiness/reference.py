"""The reference of the rules, made from their own text: `python -m freehold.readiness.reference docs/reference/checks`."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from freehold.readiness.rule import Rule
from freehold.readiness.rules import RULES

INDEX = "README.md"


def pages(rules: Sequence[Rule] = RULES) -> dict[str, str]:
    """The pages by file name: one for each family, and an index."""
    made = {}
    rows = ["| rule | severity | what is wrong |", "|---|---|---|"]
    for family, members in groupby(rules, key=lambda each: each.family):
        own = list(members)
        made[f"{family}.md"] = _page(own)
        rows += [f"| [{each.id}]({family}.md#{each.id}) | {each.severity} | {each.title} |" for each in own]
    head = f"# Rules of `freehold check`\n\nMade from the rules by `python -m {__spec__.name}`.\n\n"
    made[INDEX] = head + "\n".join(rows) + "\n"
    return made


def _page(rules: Sequence[Rule]) -> str:
    about = (inspect.getdoc(inspect.getmodule(rules[0].look)) or "").strip()
    return f"# {rules[0].family.capitalize()}\n\n{about}\n\n" + "\n".join(_section(each) for each in rules)


def _section(rule: Rule) -> str:
    looked = " ".join((inspect.getdoc(rule.look) or "").split())
    needs = " Needs the application." if rule.needs_app else ""
    return (
        f"## {rule.id}\n\n**{rule.title}.** Severity: {rule.severity}.{needs}\n\n"
        f"{rule.why}\n\nLooked for: {looked}\n\nRemedy: {rule.remedy}\n"
    )


def main(folder: Path) -> None:
    """Write the pages, and take away those of families that are gone."""
    folder.mkdir(parents=True, exist_ok=True)
    made = pages()
    for old in folder.glob("*.md"):
        if old.name not in made:
            old.unlink()
    for name, text in made.items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
