"""Secrets: where they stand, where they are shown, and what an error tells of the inside."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from freehold.readiness.evidence import Evidence
from freehold.readiness.rule import Hit, Place, Severity, rule
from freehold.readiness.source.index import ClassInfo, SourceIndex
from freehold.readiness.source.module import Module, assignments
from freehold.readiness.source.reading import argument, called, last_name, status_of, text
from freehold.readiness.source.types import bases

_VARIABLE = re.compile(
    r"(?:.*_)?(?:SECRET|SECRET_KEY|PASSWORD|PASSWD|API_?KEY|PRIVATE_KEY|SIGNING_KEY|JWT_KEY|ENCRYPTION_KEY)"
)
_CONSTANT = re.compile(r"(?:.*_)?(?:SECRET|SECRET_KEY|API_?KEY|SIGNING_KEY|JWT_KEY|ENCRYPTION_KEY)")
_FOUND = {
    "a signed token": re.compile(r"eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{16,}"),
    "an AWS key": re.compile(r"\bAKIA[0-9A-Z]{16}\b"),
    "a private key": re.compile(r"-----BEGIN (?:RSA |EC |OPENSSH )?PRIVATE KEY-----\s*\\?n?[\w+/]{20}"),
    "a Stripe key": re.compile(r"\b[sr]k_live_\w{16,}"),
    "a GitHub token": re.compile(r"\bgh[pousr]_\w{36}"),
    "a Slack token": re.compile(r"\bxox[abpr]-\w{10,}"),
}
_SAID = re.compile(
    r"(?:access_|refresh_|auth_|reset_|bearer_|jwt_)?token|(?:plain_|raw_|new_)?(?:password|passwd)|secret(?:_key)?|api_?key"
    r"|authorization|credentials",
    re.IGNORECASE,
)
_LOGGING = {"debug", "info", "warning", "warn", "error", "exception", "critical"}
_COMMANDS = {"typer", "click", "argparse", "fire"}


@rule(
    "secret-default",
    "A secret has a default",
    severity=Severity.ERROR,
    why="Where the variable is forgotten, the service runs with a secret that everybody can read in the source.",
    remedy="Let the start fail without it: os.environ['SECRET_KEY'], or a settings field without a default.",
)
def secret_default(evidence: Evidence) -> Iterator[Hit]:
    """A literal behind os.getenv, in a settings class, or as a constant named after a secret."""
    yield from _behind_getenv(evidence)
    for info in evidence.source.classes.values():
        for field, statement in info.fields.items() if is_settings(info, evidence.source) else ():
            if _VARIABLE.fullmatch(field.upper()) and _literal(statement.value):
                yield info.module.hit(statement, f"{info.node.name}.{field} has a default")
    for module in evidence.source:
        for variable, value in (pair for node in module.nodes for pair in assignments(node)):
            if _CONSTANT.fullmatch(variable) and len(_literal(value) or "") >= 8:
                yield module.hit(value, f"{variable} is a literal")


@rule(
    "secret-in-source",
    "A secret stands in the source",
    severity=Severity.ERROR,
    why="Whoever has ever had a copy of the repository has it, and history keeps it after it is deleted.",
    remedy="Revoke it, then read its successor from the environment.",
)
def secret_in_source(evidence: Evidence) -> Iterator[Hit]:
    """Text of the shape of a token or key, in code and in comments."""
    for module in evidence.source:
        for number, line in enumerate(module.lines, start=1):
            for what, shape in _FOUND.items():
                if shape.search(line):
                    yield Hit(Place(module.shown, number), f"{what} stands in the source")


@rule(
    "secret-logged",
    "A secret is printed or logged",
    severity=Severity.ERROR,
    why="Logs are copied, shipped and read by many; a token in them opens the account of whoever sent it.",
    remedy="Leave it out; log the account's id.",
)
def secret_logged(evidence: Evidence) -> Iterator[Hit]:
    """Print or a logger with something named after a secret, or with a decoded token. Command lines may print."""
    for function in evidence.source.functions.values():
        if _COMMANDS & {name.partition(".")[0] for name in function.module.imports.values()}:
            continue
        for node in function.nodes:
            if isinstance(node, ast.Call) and _prints(node):
                said = next(
                    (name for name in _values(node) if _SAID.fullmatch(name) or _is_decoded(name, function.bindings)),
                    "",
                )
                if said:
                    yield function.module.hit(node, f"`{said}` is written to the log")


@rule(
    "error-details-leaked",
    "An error tells the client what went wrong inside",
    severity=Severity.WARNING,
    why="Messages of drivers and libraries hold SQL, table names, paths and other people's values.",
    remedy="Log the exception, and answer with a fixed text and an id that finds the log record.",
)
def error_details_leaked(evidence: Evidence) -> Iterator[Hit]:
    """`str(error)` of any exception in an HTTPException of status 500, or in one raised for every exception."""
    for module in evidence.source:
        for handler in module.each(ast.ExceptHandler):
            kind = ast.unparse(handler.type) if handler.type else "Exception"
            for node in ast.walk(handler):
                if handler.name and isinstance(node, ast.Call) and called(node) == "HTTPException":
                    broad = (
                        kind in {"Exception", "BaseException"} or "SQLAlchemyError" in kind or "IntegrityError" in kind
                    )
                    if (broad or (status_of(node) or 0) >= 500) and _tells(node, handler.name):
                        yield module.hit(node, f"the text of {kind} is sent to the client")


def is_settings(info: ClassInfo, index: SourceIndex) -> bool:
    """Whether it is a settings class of pydantic-settings."""
    return any(base.rpartition(".")[2] in {"BaseSettings", "ServiceSettings"} for base in bases(info, index))


def _behind_getenv(evidence: Evidence) -> Iterator[Hit]:
    for module, call, name in evidence.source.calls:
        variable = text(call.args[0]) if call.args and name in {"os.getenv", "os.environ.get"} else None
        if variable and _VARIABLE.fullmatch(variable.upper()):
            if text(argument(call, "default", 1)) or _or_literal(call, module):
                yield module.hit(call, f"{variable} falls back to a literal")


def _or_literal(call: ast.Call, module: Module) -> bool:
    above = module.parents.get(call)
    return isinstance(above, ast.BoolOp) and isinstance(above.op, ast.Or) and bool(text(above.values[-1]))


def _literal(node: ast.expr | None) -> str | None:
    """The text of a literal, also inside Field(default=…) and SecretStr(…)."""
    if isinstance(node, ast.Call) and called(node) in {"Field", "SecretStr"}:
        return _literal(argument(node, "default", 0))
    return text(node)


def _prints(node: ast.Call) -> bool:
    if isinstance(node.func, ast.Name):
        return node.func.id == "print"
    owner = last_name(node.func.value).lower() if isinstance(node.func, ast.Attribute) else ""
    return called(node) in _LOGGING and ("log" in owner)


def _values(call: ast.Call) -> Iterator[str]:
    """The names of the values that are printed, also inside f-strings."""
    for each in [*call.args, *(keyword.value for keyword in call.keywords)]:
        parts = (
            [part.value for part in each.values if isinstance(part, ast.FormattedValue)]
            if isinstance(each, ast.JoinedStr)
            else [each]
        )
        yield from (last_name(part) for part in parts)


def _is_decoded(name: str, bindings: dict[str, list[ast.expr]]) -> bool:
    return any(ast.unparse(value).startswith(("jwt.decode(", "jose.jwt.decode(")) for value in bindings.get(name, ()))


def _tells(call: ast.Call, name: str) -> bool:
    for node in ast.walk(call):
        if (
            isinstance(node, ast.Call)
            and called(node) in {"str", "repr"}
            and last_name(node.args[0] if node.args else node) == name
        ):
            return True
        if isinstance(node, ast.FormattedValue) and last_name(node.value) == name:
            return True
    return False
