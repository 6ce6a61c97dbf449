"""The repository: what is committed and what is not, pipelines, documents, migrations."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

from freehold.readiness.app.operations import each_route
from freehold.readiness.evidence import Evidence
from freehold.readiness.project import content, numbered
from freehold.readiness.rule import Hit, Severity, rule

_DATABASES = ("*.db", "*.sqlite", "*.sqlite3", "*.db3")
_LOCKS = (
    "uv.lock",
    "poetry.lock",
    "pipfile.lock",
    "pdm.lock",
    "requirements*.lock",
    "pylock*.toml",
    "constraints*.txt",
)
_PIPELINES = ("*.yml", "*.yaml", "run", "jenkinsfile")
_UNPINNED = re.compile(r"^[A-Za-z][\w.-]*(?:\[[\w,-]+\])?$")


@rule(
    "env-committed",
    "A file of secrets is not kept out of the repository",
    severity=Severity.ERROR,
    why="What is committed once is in every copy and in history.",
    remedy="Name .env in .gitignore, take it out with git rm --cached, change what stood in it; commit a .env.example.",
)
def env_committed(evidence: Evidence) -> Iterator[Hit]:
    """A .env file that no .gitignore names."""
    for path in evidence.project.named(".env", ".env.*"):
        if not re.search(r"example|sample|template|dist|ci|test", path.name) and not evidence.project.ignored(path):
            yield evidence.in_file(path, 1, f"{path.name} is there and no .gitignore names it")


@rule(
    "database-committed",
    "A database file is not kept out of the repository",
    severity=Severity.ERROR,
    why="It holds people's data, changes at every run, and travels with every copy.",
    remedy="Name it in .gitignore, and take it out with git rm --cached.",
)
def database_committed(evidence: Evidence) -> Iterator[Hit]:
    """A file of SQLite that no .gitignore names."""
    for path in evidence.project.named(*_DATABASES):
        if path.name.lower() != "thumbs.db" and not evidence.project.ignored(path):
            yield evidence.in_file(path, 1, f"{path.name} is there and no .gitignore names it")


@rule(
    "dependencies-unpinned",
    "Nobody knows what will be installed",
    severity=Severity.NOTE,
    why="Tomorrow's build has other versions than today's test.",
    remedy="Lock them, with hashes: uv lock, or pip-compile --generate-hashes.",
)
def dependencies_unpinned(evidence: Evidence) -> Iterator[Hit]:
    """A requirements.txt with bare names, and no lock beside it."""
    if evidence.project.named(*_LOCKS):
        return
    for path in evidence.project.named("requirements.txt"):
        bare = [line.strip() for _, line in numbered(path) if _UNPINNED.match(line.strip())]
        if bare:
            yield evidence.in_file(path, 1, f"{len(bare)} packages have no version: {', '.join(bare[:3])}")


@rule(
    "pipeline-runs-other-tests",
    "The pipeline runs other tests than people do",
    severity=Severity.WARNING,
    why="What one runner collects the other does not see: tests are red, and the release goes out.",
    remedy="Let both call the same command.",
)
def pipeline_runs_other_tests(evidence: Evidence) -> Iterator[Hit]:
    """Unittest in the pipeline where the README, the Makefile or the requirements say pytest; or the other way round."""
    said = " ".join(
        content(path)
        for path in evidence.project.named(
            "readme*", "makefile", "contributing*", "pyproject.toml", "requirements*.txt"
        )
    )
    for path in _pipelines(evidence):
        runs = content(path)
        for mine, others in (("unittest", "pytest"), ("pytest", "unittest")):
            if (
                re.search(rf"\b{mine}\b", runs)
                and others not in runs
                and re.search(rf"\b{others}\b", said)
                and mine not in said
            ):
                line = next(number for number, each in numbered(path) if mine in each)
                yield evidence.in_file(path, line, f"it runs {mine}; the project says {others}")


@rule(
    "openapi-file-behind",
    "The written contract is behind the code",
    severity=Severity.WARNING,
    needs_app=True,
    why="Clients are built from a document that tells of a part of the service.",
    remedy="Generate it from the application, and let the pipeline compare.",
)
def openapi_file_behind(evidence: Evidence) -> Iterator[Hit]:
    """A committed OpenAPI or Swagger file that lacks paths which the application has."""
    served = (
        {_shape(route.path) for route in each_route(evidence.app.routes) if _is_described(route)}
        if evidence.app
        else set()
    )
    for path in evidence.project.named("openapi*.json", "openapi*.y*ml", "swagger*.json", "swagger*.y*ml"):
        written = {_shape(each) for each in _paths_in(path)}
        missing = sorted(one for one in served if not any(one.endswith(each) for each in written))
        if written and missing:
            message = f"{len(missing)} of {len(served)} paths are not in it: {', '.join(missing[:3])}"
            yield evidence.in_file(path, 1, message)


@rule(
    "tables-without-migrations",
    "Tables are made at start, and never changed",
    severity=Severity.WARNING,
    why="create_all makes what is missing and changes nothing that is there: the first new column is a 500 in production.",
    remedy="Keep a history of migrations: alembic init, alembic revision --autogenerate.",
)
def tables_without_migrations(evidence: Evidence) -> Iterator[Hit]:
    """metadata.create_all in the product, and no Alembic in the project."""
    if evidence.project.named("alembic.ini", "env.py") or any(
        "migrations" in path.parts for path in evidence.project.files
    ):
        return
    for module in evidence.source:
        for node in module.each(ast.Attribute):
            if node.attr == "create_all" and "metadata" in ast.unparse(node.value):
                yield module.hit(node, "there are tables and no migrations")


def _pipelines(evidence: Evidence) -> list[Path]:
    root = evidence.project.root
    folders = [root / name for name in (".github", ".ci", ".circleci", ".gitlab-ci.yml")]
    return [path for path in evidence.project.named(*_PIPELINES) if any(path.is_relative_to(each) for each in folders)]


def _is_described(route: object) -> bool:
    return bool(
        getattr(route, "include_in_schema", False)
        and getattr(route, "endpoint", None)
        and getattr(route, "dependant", None)
    )


def _shape(path: str) -> str:
    """The path with its parameters nameless, without a slash at the end."""
    return re.sub(r"\{[^}]*\}", "{}", path).rstrip("/") or "/"


def _paths_in(path: Path) -> list[str]:
    written = content(path)
    if path.suffix == ".json":
        try:
            return list(json.loads(written).get("paths", {}))
        except (ValueError, AttributeError):
            return []
    block = re.search(r"^paths:\s*\n((?:[ \t]+.*\n|[ \t]*#.*\n|\s*\n)*)", written + "\n", re.MULTILINE)
    return re.findall(r"^[ \t]+[\"']?(/[^\s\"':]*)[\"']?:\s*$", block[1], re.MULTILINE) if block else []
