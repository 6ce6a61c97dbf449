"""What HTTP promises of each method and status: safe reads, created, gone, not there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from freehold.readiness.app.operations import Operation
from freehold.readiness.evidence import Evidence
from freehold.readiness.rule import Hit, Severity, rule
from freehold.readiness.source.index import Function
from freehold.readiness.source.module import Module
from freehold.readiness.source.reading import called
from freehold.readiness.source.sessions import Use

_MAY_WRITE = re.compile(
    r"callback|oauth|verif|confirm|unsubscribe|webhook|login|logout|magic|activate|redirect", re.IGNORECASE
)
_VERBS = {
    "create", "add", "insert", "update", "edit", "modify", "delete", "remove", "destroy", "cancel", "approve", "reject",
    "activate", "deactivate", "publish", "borrow", "get", "fetch",
}  # fmt: skip
_CHANGES = (_VERBS - {"get", "fetch", "activate"}) | {"checkout", "purchase", "buy", "pay", "submit"}
_PROTOCOL_WORDS = {"login", "logout", "reset", "refresh", "token", "register", "signup"}
_DENIED = re.compile(
    r"not (?:authori[sz]ed|allowed|permitted|an admin)|unauthori[sz]ed|forbidden|permission denied|access denied|(?:no|not|without|insufficient|lack\w*|don't have|require\w*)(?: the| any)? permission|admins? only"
    r"|must be (?:an? )?admin|invalid (?:password|credentials|token|e-?mail)|wrong password|incorrect (?:password|username|e-?mail)"
    r"|not found",
    re.IGNORECASE,
)


@rule(
    "get-writes",
    "A GET changes data",
    severity=Severity.ERROR,
    needs_app=True,
    why="Browsers, crawlers, link previews and caches repeat a GET or send it unasked, and each time something changes.",
    remedy="Make it a POST, PUT, PATCH or DELETE.",
)
def get_writes(evidence: Evidence) -> Iterator[Hit]:
    """A GET whose handler, or what it calls, adds, changes or deletes rows."""
    for operation in evidence.operations:
        if not operation.reads or _MAY_WRITE.search(operation.path):
            continue
        for use in evidence.uses_reached(operation.function):
            if use.writes:
                where = use.function.module.at(use.node)
                yield operation.hit(f"{operation.title} changes rows: {use.steps[0][0]}() at {where}")
                break


@rule(
    "action-by-get",
    "A GET is named after an action",
    severity=Severity.WARNING,
    needs_app=True,
    why="Its name promises an effect, which a GET must not have; without one, what the client thinks is done is not recorded.",
    remedy="Make it a POST that records what happened.",
)
def action_by_get(evidence: Evidence) -> Iterator[Hit]:
    """A GET whose path ends in a verb of change."""
    for operation in evidence.operations:
        last = operation.segments[-1] if operation.segments and not _is_page(operation) else ""
        if operation.reads and last.replace("_", "-").partition("-")[0] in _CHANGES and not _MAY_WRITE.search(last):
            yield operation.hit(f"{operation.title} is named after an action and is a GET")


@rule(
    "verb-in-path",
    "A path says what the method says",
    severity=Severity.NOTE,
    needs_app=True,
    why="Clients cannot guess a path that names a verb, and the method already says what is done.",
    remedy="Name the thing: POST /books rather than /create-book; a state change is a noun below it, /loans/{id}/return.",
)
def verb_in_path(evidence: Evidence) -> Iterator[Hit]:
    """A segment that begins with a verb and goes on: `add-book`, `delete_user`."""
    for operation in evidence.operations:
        for segment in operation.segments:
            verb, _, rest = segment.replace("_", "-").partition("-")
            if (
                rest
                and verb in _VERBS
                and not set(segment.replace("_", "-").split("-")) & {"password", *_PROTOCOL_WORDS}
            ):
                yield operation.hit(f"{operation.title} has a verb in its path: {segment}")


@rule(
    "create-answers-200",
    "A POST that creates answers 200",
    severity=Severity.WARNING,
    needs_app=True,
    why="A client cannot tell a new row from one that was there, and finds no Location of it.",
    remedy="Answer 201 with a Location: status_code=201 on the route.",
)
def create_answers_200(evidence: Evidence) -> Iterator[Hit]:
    """A POST to a collection that adds a row and leaves the status at 200."""
    for operation in evidence.operations:
        if operation.method != "POST" or operation.status != 200 or operation.path.endswith("}"):
            continue
        if set(operation.segments) & _PROTOCOL_WORDS and not {"register", "signup"} & set(operation.segments):
            continue
        if _creates(operation, evidence):
            yield operation.hit(f"{operation.title} adds a row and answers 200")


@rule(
    "delete-answers-200",
    "A DELETE answers 200 with a message",
    severity=Severity.NOTE,
    needs_app=True,
    why="There is nothing left to tell of; clients that expect 204 read a body that says nothing.",
    remedy="Answer 204 without a body: status_code=204 on the route.",
)
def delete_answers_200(evidence: Evidence) -> Iterator[Hit]:
    """A DELETE with status 200 that returns a literal message."""
    for operation in evidence.operations:
        if operation.method == "DELETE" and operation.status == 200:
            for node in operation.function.nodes:
                if isinstance(node, ast.Return) and _is_message(node.value):
                    yield operation.hit(f"{operation.title} answers 200 with a message")
                    break


@rule(
    "patch-not-partial",
    "A PATCH that needs every field",
    severity=Severity.WARNING,
    needs_app=True,
    why="A client that changes one field has to send all, and undoes what another client has changed meanwhile.",
    remedy="Give every field of the body a default, and write only what was sent: model_dump(exclude_unset=True).",
)
def patch_not_partial(evidence: Evidence) -> Iterator[Hit]:
    """A PATCH whose body has at least two fields, all required."""
    for operation in evidence.operations:
        partial = operation.method == "PATCH" and "password" not in operation.path.lower()
        for model in operation.bodies if partial else []:
            fields = [field for field in operation.body if field.owner and issubclass(model, field.owner)]
            if len(fields) >= 2 and all(field.required for field in fields):
                yield operation.hit(f"{operation.title} requires every field of {model.__name__}")


@rule(
    "patch-writes-unset",
    "A PATCH writes fields that were not sent",
    severity=Severity.WARNING,
    needs_app=True,
    why="Fields that the client did not send are set to their defaults, mostly None, and what stood there is lost.",
    remedy="Write only what was sent: model_dump(exclude_unset=True).",
)
def patch_writes_unset(evidence: Evidence) -> Iterator[Hit]:
    """A PATCH that dumps its body whole and sets attributes from it."""
    for operation in evidence.operations:
        if operation.method != "PATCH":
            continue
        for function in evidence.reached(operation.function):
            for call in _dumps(function):
                if _is_body(call, operation, function) and _sets_attributes(function):
                    yield function.module.hit(call, f"{operation.title} writes fields that were not sent")


@rule(
    "denial-answers-200",
    "A refusal is sent as a success",
    severity=Severity.ERROR,
    why="Clients, proxies, monitors and caches see a success where something was refused; many go on as if it were done.",
    remedy="Raise HTTPException with 401, 403, 404 or 409.",
)
def denial_answers_200(evidence: Evidence) -> Iterator[Hit]:
    """A literal that says no and is returned without a status; an HTTPException with one below 400."""
    for function in evidence.source.functions.values():
        for node in function.nodes:
            if isinstance(node, ast.Return) and _says_no(node.value) and not _has_status(node, function):
                yield function.module.hit(node, "a refusal is returned as a plain value, which is 200")
            if isinstance(node, ast.Call) and _is_success_exception(node, function.module):
                yield function.module.hit(node, "an HTTPException is raised with a status of success")


@rule(
    "update-needs-password",
    "Updating a profile needs the password",
    severity=Severity.WARNING,
    needs_app=True,
    why="Whoever changes a name has to send the password, which is then hashed and stored anew.",
    remedy="Take the password out of the update; change it by an operation of its own that asks for the old one.",
)
def update_needs_password(evidence: Evidence) -> Iterator[Hit]:
    """A PUT or PATCH that requires a password among other fields."""
    for operation in evidence.operations:
        if operation.method in {"PUT", "PATCH"} and "password" not in operation.path.lower():
            needed = [field for field in operation.body if field.required and field.name == "password"]
            others = [field for field in operation.body if "password" not in field.name]
            if needed and len(others) >= 2:
                yield operation.hit(f"{operation.title} requires `password` beside {len(others)} other fields")


def _is_page(operation: Operation) -> bool:
    """Whether it answers with HTML: a form to create something has its own address."""
    return any(called(node) in {"TemplateResponse", "HTMLResponse"} for node in operation.function.nodes)


def _creates(operation: Operation, evidence: Evidence) -> bool:
    """Whether it adds a row that it has made and that its path is named after; a row of history beside it is none."""
    named = operation.segments[-1].replace("_", "").replace("-", "") if operation.segments else ""
    stem = re.sub(r"(?:ies|es|s|y)$", "", named)
    made = {name.lower() for use in evidence.uses_reached(operation.function) for name in _made(use, evidence)}
    registers = named in {"register", "signup"}
    return bool(operation.body) and any(registers or (stem and stem in name) or name in named for name in made)


def _made(use: Use, evidence: Evidence) -> Iterator[str]:
    """The classes of what is added, where it is made in the same function."""
    if use.first == "add" and use.steps[0][1].args:
        added = use.steps[0][1].args[0]
        for value in use.function.bindings.get(added.id, []) if isinstance(added, ast.Name) else [added]:
            name = evidence.source.names(value.func, use.function.module) if isinstance(value, ast.Call) else None
            made = name and (evidence.source.classes.get(name) or evidence.source.classes.get(name.rpartition(".")[0]))
            if made:
                yield made.node.name


def _is_message(node: ast.expr | None) -> bool:
    if isinstance(node, ast.Call):
        return any(keyword.arg in {"message", "detail", "msg"} for keyword in node.keywords)
    return (
        isinstance(node, ast.Dict) and all(isinstance(key, ast.Constant) for key in node.keys) and len(node.keys) <= 2
    )


def _says_no(node: ast.expr | None) -> bool:
    """A dictionary, or a JSONResponse of one, whose text refuses."""
    if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")).endswith("Response"):
        return not any(keyword.arg == "status_code" for keyword in node.keywords) and any(map(_says_no, node.args))
    if not isinstance(node, ast.Dict):
        return False
    for key, value in zip(node.keys, node.values, strict=True):
        if isinstance(key, ast.Constant) and key.value in {"message", "error", "detail", "msg", "status"}:
            texts = [
                each.value for each in ast.walk(value) if isinstance(each, ast.Constant) and isinstance(each.value, str)
            ]
            if any(_DENIED.search(text) for text in texts):
                return True
    return False


def _has_status(node: ast.Return, function: Function) -> bool:
    """Whether a status is set by hand before, or the value is no answer: functions that are no handlers return what they like."""
    sets = any(isinstance(each, ast.Attribute) and each.attr == "status_code" for each in function.nodes)
    return sets or (
        isinstance(node.value, ast.Dict)
        and any(isinstance(key, ast.Constant) and key.value == "type" for key in node.value.keys)
    )


def _is_success_exception(node: ast.Call, module: Module) -> bool:
    if not (module.qualified(node.func) or "").endswith("HTTPException"):
        return False
    status = next(
        (keyword.value for keyword in node.keywords if keyword.arg == "status_code"),
        node.args[0] if node.args else None,
    )
    if isinstance(status, ast.Constant) and isinstance(status.value, int):
        return status.value < 300
    return isinstance(status, ast.Attribute) and status.attr.startswith("HTTP_2")


def _dumps(function: Function) -> Iterator[ast.Call]:
    for node in function.nodes:
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in {"model_dump", "dict"}
        ):
            if not {keyword.arg for keyword in node.keywords} & {
                "exclude_unset",
                "exclude_none",
                "exclude_defaults",
                None,
            }:
                yield node


def _is_body(call: ast.Call, operation: Operation, function: Function) -> bool:
    name = call.func.value.id if isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name) else ""
    parameter = function.parameters.get(name)
    written = ast.unparse(parameter.annotation) if parameter is not None and parameter.annotation else ""
    return any(model.__name__ in written for model in operation.bodies)


def _sets_attributes(function: Function) -> bool:
    return any(isinstance(node, ast.Name) and node.id == "setattr" for node in function.nodes)
