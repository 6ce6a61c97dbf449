"""What is shipped and how it starts: origins, debug switches, databases, images."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from freehold.readiness.evidence import Evidence
from freehold.readiness.project import numbered
from freehold.readiness.rule import Hit, Severity, rule
from freehold.readiness.source.module import Module
from freehold.readiness.source.reading import argument, is_true, keyword, text

_DEVELOPMENT = re.compile(r"dev|test|local|debug", re.IGNORECASE)


@rule(
    "cors-wildcard-credentials",
    "Every site may act with the visitor's cookies",
    severity=Severity.ERROR,
    why="With credentials allowed, `*` is answered with the origin that asked: any page reads the answers as the visitor.",
    remedy="Name the origins.",
)
def cors_wildcard_credentials(evidence: Evidence) -> Iterator[Hit]:
    """CORSMiddleware with `*` and allow_credentials=True."""
    for module, call, credentials in _open_cors(evidence):
        if credentials:
            yield module.hit(call, "any origin is allowed, with credentials")


@rule(
    "cors-any-origin",
    "Every site may read the answers",
    severity=Severity.NOTE,
    why="Pages of strangers call the service from the browsers of people inside your network, and read what it says.",
    remedy="Name the origins that need it.",
)
def cors_any_origin(evidence: Evidence) -> Iterator[Hit]:
    """CORSMiddleware with `*`, without credentials."""
    for module, call, credentials in _open_cors(evidence):
        if not credentials:
            yield module.hit(call, "any origin is allowed")


@rule(
    "debug-on",
    "Debug mode is on",
    severity=Severity.ERROR,
    why="An error answers with the traceback: source, values of variables, settings.",
    remedy="Take debug=True away, or read it from a setting that production refuses.",
)
def debug_on(evidence: Evidence) -> Iterator[Hit]:
    """FastAPI(debug=True)."""
    for module, call, name in evidence.source.calls:
        if name.rpartition(".")[2] in {"FastAPI", "Starlette"} and is_true(keyword(call, "debug")):
            yield module.hit(call, "debug=True")


@rule(
    "reload-in-image",
    "The image starts with auto-reload",
    severity=Severity.WARNING,
    why="It watches files, runs one process, and restarts when one is written.",
    remedy="Start the server without --reload, with workers.",
)
def reload_in_image(evidence: Evidence) -> Iterator[Hit]:
    """--reload or `fastapi dev` in a Dockerfile, Procfile or unit of systemd."""
    for path in evidence.project.named("dockerfile", "dockerfile.*", "*.dockerfile", "procfile", "*.service"):
        if not _DEVELOPMENT.search(path.name):
            for number, line in numbered(path):
                if re.search(r"--reload\b|fastapi[\"', ]+dev\b", line):
                    yield evidence.in_file(path, number, "auto-reload is on")


@rule(
    "image-as-root",
    "The container runs as root",
    severity=Severity.NOTE,
    why="Whoever breaks into the process owns the container, and with a fault of the kernel the machine.",
    remedy="Make a user and switch to it: RUN useradd app, USER app.",
)
def image_as_root(evidence: Evidence) -> Iterator[Hit]:
    """A Dockerfile whose last stage has no USER other than root."""
    for path in evidence.project.named("dockerfile", "*.dockerfile"):
        users: list[str] = []
        start = 1
        for number, line in numbered(path):
            if re.match(r"\s*FROM\s", line, re.IGNORECASE):
                users, start = [], number
            user = re.match(r"\s*USER\s+(\S+)", line, re.IGNORECASE)
            users += [user[1]] if user else []
        if not users or users[-1].partition(":")[0] in {"root", "0"}:
            yield evidence.in_file(path, start, "no USER after this FROM")


@rule(
    "secret-in-image",
    "A secret is baked into the image",
    severity=Severity.ERROR,
    why="Whoever can pull the image can read every layer of it.",
    remedy="Give it at run time, by the environment or a mounted secret.",
)
def secret_in_image(evidence: Evidence) -> Iterator[Hit]:
    """COPY of a .env file, or ENV and ARG with a value named after a secret."""
    secret = re.compile(
        r"\s*(?:ENV|ARG)\s+\w*(?:SECRET|PASSWORD|API_?KEY|TOKEN)\w*[= ]\s*['\"]?[^\s$'\"]+", re.IGNORECASE
    )
    copied = re.compile(r"\s*(?:COPY|ADD)\s+(?:\S+\s+)*\.env(?!\.(?:example|sample|template))\b", re.IGNORECASE)
    for path in evidence.project.named("dockerfile", "dockerfile.*", "*.dockerfile"):
        for number, line in numbered(path):
            if secret.match(line) or copied.match(line):
                yield evidence.in_file(path, number, "a secret is written into a layer")


@rule(
    "sqlite-fallback",
    "Production falls back to SQLite",
    severity=Severity.ERROR,
    why="Where the variable is forgotten the service starts, takes orders into a file in the container, and loses them.",
    remedy="Let the start fail without the address of the database, except in development.",
)
def sqlite_fallback(evidence: Evidence) -> Iterator[Hit]:
    """An address of SQLite behind os.getenv, outside a class or function named after development or tests."""
    for module, call, name in evidence.source.calls:
        if name in {"os.getenv", "os.environ.get"}:
            above = module.parents.get(call)
            default = argument(call, "default", 1)
            if isinstance(above, ast.BoolOp):
                default = above.values[-1]
            holders = [getattr(each, "name", "") for each in module.above(call)]
            if (text(default) or "").startswith("sqlite") and not any(map(_DEVELOPMENT.search, holders)):
                yield module.hit(call, "without the variable it is SQLite")


def _open_cors(evidence: Evidence) -> Iterator[tuple[Module, ast.Call, bool]]:
    for module in evidence.source:
        for call in module.each(ast.Call):
            if call.args and (module.qualified(call.args[0]) or "").endswith("CORSMiddleware"):
                origins, pattern = keyword(call, "allow_origins"), text(keyword(call, "allow_origin_regex"))
                values = origins.elts if isinstance(origins, ast.List | ast.Tuple) else []
                if any(text(each) == "*" for each in values) or pattern in {".*", "https?://.*", "^.*$"}:
                    yield module, call, is_true(keyword(call, "allow_credentials"))
