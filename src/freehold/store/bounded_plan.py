"""Whether lists may be one statement: what PostgreSQL says of how it would run them.

The statement for many is planned without knowing a value. Where that could choose another way than the values would
(a common word by the order of the list, a rare one by its index), a list is better alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from freehold.store.pairs import PAIR

_Node = Mapping[str, Any]
_STEPS: Final = frozenset({"Limit", "Subquery Scan", "Incremental Sort", "Memoize", "Result"})
"""What may stand between the lists and the index: rows pass it in their order, and no more of them than are wanted."""
_READS: Final = frozenset({"Index Scan", "Index Only Scan"})
_TESTS: Final = ("Filter", "Join Filter", "One-Time Filter")

_COLUMN: Final = r"\w+|\(\w+\)::\w+"
_VALUE: Final = rf"{PAIR}\.v\d+|\({PAIR}\.v\d+\)::\w+"
_AFTER: Final = re.compile(rf"ROW\(({_COLUMN})(?:, (?:{_COLUMN}))*\) [<>] ROW\(({_VALUE})(?:, (?:{_VALUE}))*\)")
"""Whether a row comes after the place where a page begins."""


def is_bounded(plan: _Node) -> bool:
    """Whether each list reads along an index, in its order, until it has what it wants, whatever the values are.

    plan: as `EXPLAIN (FORMAT JSON)` has it, of a statement that `paired` has written.
    """
    given, *lists = plan.get("Plans", ())
    if plan["Node Type"] != "Nested Loop" or given["Node Type"] != "Function Scan" or len(lists) != 1:
        return False
    node, limits = lists[0], 0
    while node["Node Type"] in _STEPS and len(node.get("Plans", ())) == 1 and not _tests_values(node):
        limits += node["Node Type"] == "Limit"
        node = node["Plans"][0]
    return limits > 0 and node["Node Type"] in _READS and not node.get("Plans") and not _tests_values(node)


def _tests_values(node: _Node) -> bool:
    """Whether rows are read and left out by a value of the list: then one value leaves out more of them than another."""
    begins = node.get("Index Cond", "")
    tests = [_AFTER.sub(lambda found: _unless_beside(found, begins), node.get(each, "")) for each in _TESTS]
    return any(f"{PAIR}." in test for test in tests)


def _unless_beside(found: re.Match[str], begins: str) -> str:
    """Nothing for the place of a page that the index is read from: left out are rows alone that have its first value."""
    column, value = found[1], found[2]
    return "" if re.search(rf"\({re.escape(column)} [<>]= {re.escape(value)}\)", begins) else found[0]
