"""Whether an operation asks who calls, and whether it asks what they may do."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from fastapi.security.base import SecurityBase

from freehold.readiness.app.declared import DeclaredOperation
from freehold.readiness.app.operations import Operation, function_of
from freehold.readiness.source.index import Function

if TYPE_CHECKING:
    from freehold.readiness.evidence import Evidence

_ASKS = re.compile(
    r"auth|current_?user|login_?required|token|require|verify|permission|api_?key|admin|principal|get_user|guard|jwt"
    r"|signed_in|caller|signature|superuser|logged_in|identity|credential",
    re.IGNORECASE,
)
_PRIVILEGE = re.compile(
    r"admin|superuser|staff|moderator|librarian|role|permission|scope|privilege|may_|can_", re.IGNORECASE
)
_DENIALS = {"401", "403", "HTTP_401_UNAUTHORIZED", "HTTP_403_FORBIDDEN", "UNAUTHORIZED", "FORBIDDEN"}


def is_guarded(operation: Operation | DeclaredOperation, evidence: Evidence) -> bool:
    """Whether anything before or in the handler asks who calls."""
    if isinstance(operation, DeclaredOperation):
        return not operation.is_open
    if operation.declared or evidence.guarding_middleware:
        return True
    if any(asks(call, evidence) for call in operation.dependencies):
        return True
    return any(_ASKS.search(name) for name in decorators(operation.function)) or _denies(operation.function, evidence)


def is_privileged(operation: Operation | DeclaredOperation, evidence: Evidence) -> bool:
    """Whether anything before or in the handler asks for a role or right of the caller."""
    if isinstance(operation, DeclaredOperation):
        return operation.is_privileged
    if operation.declared:
        return True
    names = [*decorators(operation.function), *(_name(call) for call in operation.dependencies)]
    if any(_PRIVILEGE.search(name) for name in names):
        return True
    functions = [found for call in operation.dependencies if (found := function_of(call, evidence.source))]
    functions += [found for name in decorators(operation.function) if (found := evidence.source.functions.get(name))]
    if any(_compares_privilege(each, ()) for each in functions):
        return True
    bodies = [name for name, node in operation.function.parameters.items() if _is_body(node, operation, evidence)]
    return any(_compares_privilege(each, bodies) for each in evidence.reached(operation.function))


def decorators(function: Function) -> list[str]:
    """The names of what decorates a handler, but for the route itself."""
    found = []
    for node in function.node.decorator_list:
        called = node.func if isinstance(node, ast.Call) else node
        name = function.module.qualified(called)
        if name and name.rpartition(".")[2] not in {"get", "post", "put", "patch", "delete", "api_route", "route"}:
            found.append(name)
    return found


def asks(call: Any, evidence: Evidence) -> bool:
    """Whether a dependency finds out who calls, or refuses those who do not say."""
    if isinstance(call, SecurityBase):
        return True
    function = function_of(call, evidence.source)
    if function is None:
        return bool(_ASKS.search(_name(call))) and not _is_form(call)
    return bool(_ASKS.search(function.called)) or _denies(function, evidence)


def _is_form(call: Any) -> bool:
    return _name(call).startswith("OAuth2PasswordRequestForm")


def _name(call: Any) -> str:
    return str(getattr(call, "__qualname__", type(call).__qualname__))


def _denies(function: Function, evidence: Evidence) -> bool:
    """Whether it, or what it calls, answers 401 or 403."""
    for each in evidence.reached(function):
        for node in ast.walk(each.node):
            said = node.attr if isinstance(node, ast.Attribute) else str(getattr(node, "value", ""))
            if said in _DENIALS and isinstance(node, ast.Attribute | ast.Constant):
                return True
    return False


def _compares_privilege(function: Function, not_of: Iterator[str] | list[str] | tuple[()]) -> bool:
    for node in function.nodes:
        if isinstance(node, ast.Compare | ast.If | ast.IfExp | ast.BoolOp | ast.UnaryOp):
            tested = node.test if isinstance(node, ast.If | ast.IfExp) else node
            if any(_says_privilege(part, tuple(not_of)) for part in ast.walk(tested)):
                return True
    return False


def _says_privilege(node: ast.AST, not_of: tuple[str, ...]) -> bool:
    if isinstance(node, ast.Attribute):
        return bool(_PRIVILEGE.search(node.attr)) and not (isinstance(node.value, ast.Name) and node.value.id in not_of)
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return bool(_PRIVILEGE.search(node.value)) and len(node.value) < 40
    return False


def _is_body(node: ast.arg, operation: Operation, evidence: Evidence) -> bool:
    written = ast.unparse(node.annotation) if node.annotation else ""
    return any(model.__name__ in written for model in operation.bodies)
