"""The table of problem codes, made from the classes: `python -m freehold.web.problem_table > docs/reference/problems.md`."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import freehold
from freehold.errors import Problem

# The command line and the test kit define no problems; migrations run when they are imported.
_NOT_IMPORTED = ("freehold.cli", "freehold.testing", "freehold.store.migrations")


@dataclass(frozen=True, slots=True, order=True)
class ProblemEntry:
    """One row: what a client may meet, and what it means."""

    status: int
    code: str
    title: str
    meaning: str


def problem_classes() -> list[type[Problem]]:
    """Every problem class of the process, Freehold's own and the service's, each once."""
    return list(dict.fromkeys(_below(Problem)))


def _below(kind: type[Problem]) -> Iterator[type[Problem]]:
    for child in kind.__subclasses__():
        if "generated" not in child.__dict__:
            yield child
            yield from _below(child)


def entries(*, module_prefix: str = "") -> list[ProblemEntry]:
    """The rows, by status and code. module_prefix: only classes defined in modules that begin so."""
    rows: dict[str, ProblemEntry] = {}
    for kind in problem_classes():
        if kind.__module__.startswith(module_prefix):
            meaning = (kind.__doc__ or "").strip().partition("\n")[0].replace("|", "\\|")
            rows.setdefault(kind.code, ProblemEntry(kind.status, kind.code, kind.title, meaning))
    return sorted(rows.values())


def load_all() -> None:
    """Import every module of Freehold whose extras are installed, so that `entries` sees all classes."""
    for module in pkgutil.walk_packages(freehold.__path__, "freehold."):
        if module.name.startswith(_NOT_IMPORTED):
            continue
        try:
            importlib.import_module(module.name)
        except ImportError:  # an extra that is not installed
            continue


def markdown() -> str:
    """The reference page of Freehold's own codes."""
    rows = "\n".join(
        f"| {r.status} | `{r.code}` | {r.title} | {r.meaning} |" for r in entries(module_prefix="freehold.")
    )
    return f"""# Problem codes

Every refusal is an `application/problem+json` document (RFC 9457) with `type`, `title`, `status`, `instance`, `code` and
`request_id`; a 4xx may add `detail` and `errors`. `type` is `/problems#<code>`, a page that the service itself serves.
A 5xx shows nothing but its title and the request id. This page is generated from the classes by
`python -m freehold.web.problem_table`; a service's own codes stand on its `/problems` page.

`Accept` is no reason for a refusal: an operation that has one form sends it, and a refusal is a problem document, whatever
the client prefers (RFC 9110 12.4.1). Only `/` (a page or JSON) and pictures (AVIF, WebP, JPEG) are chosen by it. 406 is there
for operations of one's own that would rather refuse.

| status | code | title | meaning |
|---|---|---|---|
{rows}
"""


if __name__ == "__main__":
    load_all()
    sys.stdout.write(markdown())
