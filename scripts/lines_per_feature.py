"""Count what a service author wrote, feature by feature: `python scripts/lines_per_feature.py library`.

Lines that hold code, without blank ones, comments and docstrings. A README shows the table, and a test compares.
"""

from __future__ import annotations

import ast
import io
import sys
import tokenize
from pathlib import Path

SERVICES = Path(__file__).parents[1] / "services"
COLUMNS = ("models", "schemas", "crud", "routes")
_SILENT = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}


def code_lines(text: str) -> int:
    """How many lines of a module hold code."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    lines = {line for token in tokens if token.type not in _SILENT for line in range(token.start[0], token.end[0] + 1)}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                lines -= set(range(first.lineno, (first.end_lineno or first.lineno) + 1))
    return len(lines)


def table(service: str) -> str:
    """The table of a service, in Markdown. Other modules of a feature (jobs, pure calculations) are one column."""
    rows = ["| feature | " + " | ".join(COLUMNS) + " | other | all |", "|---" + "|---:" * (len(COLUMNS) + 2) + "|"]
    sums = [0] * (len(COLUMNS) + 2)
    for folder in sorted(path.parent for path in (SERVICES / service).glob("*/__init__.py")):
        counted = {path.stem: code_lines(path.read_text(encoding="utf-8")) for path in folder.glob("*.py")}
        if folder.name == "tests" or not sum(counted.values()):
            continue
        named = [counted.pop(name, 0) for name in COLUMNS]
        numbers = [*named, sum(counted.values()), sum(named) + sum(counted.values())]
        sums = [before + number for before, number in zip(sums, numbers, strict=True)]
        rows.append(f"| {folder.name} | " + " | ".join(str(number or "") for number in numbers) + " |")
    return "\n".join([*rows, "| **all** | " + " | ".join(map(str, sums)) + " |"])


if __name__ == "__main__":
    print(table(sys.argv[1]))
