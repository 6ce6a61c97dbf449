"""The event loop: what holds it up, and what gets lost in it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from freehold.readiness.evidence import Evidence
from freehold.readiness.rule import Hit, Severity, rule
from freehold.readiness.source.index import Function
from freehold.readiness.source.reach import callee
from freehold.readiness.source.reading import called, keyword
from freehold.readiness.source.sessions import Use
from freehold.readiness.source.types import type_of

_VERBS = {"get", "post", "put", "patch", "delete", "head", "options", "request"}
_BLOCKING = {
    "time.sleep", "urllib.request.urlopen", "os.system", "socket.create_connection", "subprocess.run", "subprocess.call",
    "subprocess.check_call", "subprocess.check_output", "smtplib.SMTP", "smtplib.SMTP_SSL",
} | {f"{package}.{verb}" for package in ("requests", "httpx") for verb in _VERBS}  # fmt: skip
_SYNC_SESSIONS = {"sqlalchemy.orm.Session", "sqlalchemy.orm.session.Session", "sqlmodel.Session"}
_SENDS = {"execute", "exec", "scalars", "scalar", "get", "commit", "flush", "refresh", "query", "delete"}


@rule(
    "blocking-in-async",
    "An async handler blocks the event loop",
    severity=Severity.ERROR,
    why="While it waits, no other request of this process is answered, health checks neither.",
    remedy="Use an async client or an AsyncSession; or declare the handler with plain `def`, which runs in a thread.",
)
def blocking_in_async(evidence: Evidence) -> Iterator[Hit]:
    """requests, time.sleep, subprocess or a synchronous session, in an async function or in what it calls directly."""
    for function in evidence.serving:
        if not function.is_async:
            continue
        for node in _own(function):
            if isinstance(node, ast.Call):
                blocked = _blocks(node, function, evidence) or _calls_blocking(node, function, evidence)
                if blocked:
                    yield function.module.hit(node, f"{blocked} blocks the event loop")


@rule(
    "request-without-timeout",
    "A request that may wait for ever",
    severity=Severity.WARNING,
    why="The other side hangs, and one after another all workers wait for it.",
    remedy="Say how long: timeout=10.",
)
def request_without_timeout(evidence: Evidence) -> Iterator[Hit]:
    """Requests and urlopen, which have no timeout of their own; httpx has one."""
    without = {f"requests.{verb}" for verb in _VERBS} | {"urllib.request.urlopen"}
    for module, call, name in evidence.source.calls:
        if name in without and keyword(call, "timeout") is None and all(each.arg for each in call.keywords):
            yield module.hit(call, f"{name} waits for ever")


@rule(
    "task-not-kept",
    "A background task that nobody holds",
    severity=Severity.WARNING,
    why="The loop keeps only a weak reference: the task may be collected half way, and its error is never seen.",
    remedy="Keep it in a set until it is done, use a TaskGroup, or put the work into a job queue that survives a restart.",
)
def task_not_kept(evidence: Evidence) -> Iterator[Hit]:
    """asyncio.create_task whose result is thrown away."""
    for module, call, name in evidence.source.calls:
        if name in {"asyncio.create_task", "asyncio.ensure_future"} and isinstance(module.parents.get(call), ast.Expr):
            yield module.hit(call, "the task is started and forgotten")


def _own(function: Function) -> Iterator[ast.AST]:
    """The nodes of the function itself, without those of functions inside it."""
    edge: list[ast.AST] = list(function.node.body)
    while edge:
        node = edge.pop()
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield node
            edge += ast.iter_child_nodes(node)


def _blocks(node: ast.Call, function: Function, evidence: Evidence) -> str:
    name = evidence.source.names(node.func, function.module) or ""
    if name in _BLOCKING:
        return name
    use = next((use for use in evidence.uses[function] if use.node is node), None)
    return f"{use.first}() of a synchronous session" if use and _is_sync(use, evidence) else ""


def _is_sync(use: Use, evidence: Evidence) -> bool:
    root = use.steps[0][1].func
    kind = type_of(root.value, use.function, evidence.source) if isinstance(root, ast.Attribute) else None
    awaited = isinstance(use.function.module.parents.get(use.node), ast.Await)
    return kind in _SYNC_SESSIONS and use.first in _SENDS and not awaited


def _calls_blocking(node: ast.Call, function: Function, evidence: Evidence) -> str:
    inner = callee(node, function, evidence.source)
    if inner is None or inner.is_async or called(node) == "__init__":
        return ""
    for part in _own(inner):
        if isinstance(part, ast.Call):
            blocked = _blocks(part, inner, evidence)
            if blocked:
                return f"{inner.called}, which calls {blocked},"
    return ""
