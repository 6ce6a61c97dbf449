"""The rules, one file per family. A rule is found by standing in one of these files; nothing else lists it."""

from __future__ import annotations

import importlib
import pkgutil

from freehold.readiness.rule import Rule

FAMILIES = sorted(module.name for module in pkgutil.iter_modules(__path__))


def _all() -> tuple[Rule, ...]:
    found: list[Rule] = []
    for family in FAMILIES:
        module = importlib.import_module(f"{__name__}.{family}")
        found += [each for each in vars(module).values() if isinstance(each, Rule)]
    return tuple(found)


RULES = _all()
