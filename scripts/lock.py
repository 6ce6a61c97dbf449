"""Make requirements.lock, or check it without a network.

    python scripts/lock.py make      compile it anew from pyproject.toml
    python scripts/lock.py check     does it hold what pyproject.toml asks for, and nothing else?

The check compares with what is installed, so it says the same on every machine
and does not change when someone publishes a release.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from registry import uv_environment

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.lock"
COMPILE = (
    "uv pip compile pyproject.toml --all-extras --group dev --universal --python-version 3.11 "
    "--generate-hashes --no-header --no-annotate --quiet -o requirements.lock"
)


def make() -> None:
    """Resolve for every platform and Python from 3.11 on; keeps the pins that still fit."""
    uv = Path(sys.executable).with_name("uv")
    subprocess.run([uv, *COMPILE.split()[1:]], cwd=ROOT, env=uv_environment(), check=True)


def wanted() -> list[Requirement]:
    """What pyproject.toml asks for: the dependencies, every extra and the dev group."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    table = project["project"]
    lines = [*table["dependencies"], *project["dependency-groups"]["dev"]]
    for extra in table.get("optional-dependencies", {}).values():
        lines += extra
    return [Requirement(line) for line in lines]


def locked(text: str) -> dict[str, list[Requirement]]:
    """The pinned packages by name; one name may be pinned twice under different markers."""
    found: dict[str, list[Requirement]] = {}
    for line in re.findall(r"^[A-Za-z0-9][^\\\n]*", text, flags=re.MULTILINE):
        requirement = Requirement(line.strip())
        found.setdefault(canonicalize_name(requirement.name), []).append(requirement)
    return found


def reached(roots: list[Requirement]) -> set[str]:
    """Every package that the roots need, through what is installed here."""
    seen: set[tuple[str, str]] = set()
    queue = [(root, "") for root in roots]
    while queue:
        requirement, extra = queue.pop()
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(requirement.name)
        for wanted_extra in ("", *requirement.extras):
            if (name, wanted_extra) in seen:
                continue
            seen.add((name, wanted_extra))
            queue += [(needed, wanted_extra) for needed in _needs(name)]
    return {name for name, _ in seen}


def _needs(name: str) -> list[Requirement]:
    try:
        return [Requirement(line) for line in requires(name) or ()]
    except PackageNotFoundError:
        return []


def faults() -> Iterator[str]:
    """What is wrong with the lock, one sentence each."""
    text = LOCK.read_text(encoding="utf-8")
    pins = locked(text)
    for requirement in wanted():
        held = pins.get(canonicalize_name(requirement.name), [])
        versions = [str(pin.specifier).removeprefix("==") for pin in held]
        if not any(requirement.specifier.contains(version, prereleases=True) for version in versions):
            yield f"pyproject.toml asks for {requirement}, the lock holds {versions or 'no such package'}"
    needed = reached(wanted())
    for name, held in pins.items():
        if name not in needed and any(pin.marker is None for pin in held):
            yield f"the lock holds {name}, which nothing needs"
    for name in needed - set(pins):
        yield f"{name} is needed and not in the lock"
    entries = text.replace("\\\n", " ").splitlines()
    yield from (f"{entry.split()[0]} has no hash" for entry in entries if "--hash=" not in entry and entry.strip())
    if "://" in text:
        yield "the lock names a host or a folder; it must hold names, versions and hashes only"


def main() -> None:
    """Run from the Makefile."""
    if sys.argv[1:] == ["make"]:
        make()
    elif sys.argv[1:] == ["check"]:
        found = list(faults())
        sys.exit("\n".join([*found, "run make lock"]) if found else 0)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
