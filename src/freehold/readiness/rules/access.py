"""Who may do what: writes that ask nobody, data that everybody sees, fields that clients must not set."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from freehold.readiness.app.declared import DeclaredOperation
from freehold.readiness.app.fields import Field
from freehold.readiness.app.guards import asks, is_guarded, is_privileged
from freehold.readiness.app.operations import Operation
from freehold.readiness.evidence import Evidence
from freehold.readiness.rule import Hit, Severity, rule
from freehold.readiness.source.index import Function
from freehold.readiness.source.reading import names_in

_OPEN_BY_NATURE = re.compile(
    r"log-?_?in|log-?_?out|sign-?_?(?:in|up|out)|token|auth|regist|password|recover|reset|verif|confirm|hook|callback|refresh"
    r"|contact|subscri|newsletter|health|graphql|search|report|feedback|session|track|click",
    re.IGNORECASE,
)
_PASSWORD = re.compile(
    r"(?:hashed_?|encrypted_?|plain_?)?(?:password|passwd|pwd)(?:_?(?:hash|hashed|digest|salt))?|totp_secret"
)
_PERSONAL = {
    "email", "email_address", "phone", "phone_number", "mobile", "address", "street", "dob", "date_of_birth",
    "birth_date", "birthday", "ssn", "iban", "passport_number", "national_id",
}  # fmt: skip
_PRIVILEGES = {
    "role",
    "roles",
    "is_admin",
    "is_superuser",
    "is_staff",
    "admin",
    "permissions",
    "is_verified",
    "email_verified",
}
_OWNERS = {
    "user_id", "owner_id", "author_id", "customer_id", "created_by", "created_by_id", "account_id", "patron_id",
    "member_id", "buyer_id", "seller_id", "tenant_id", "uploaded_by",
}  # fmt: skip
_PERSON = re.compile(r"user|account|member|profile|regist|signup|person|staff|employee", re.IGNORECASE)


@rule(
    "unauthenticated-write",
    "A write asks nobody who they are",
    severity=Severity.ERROR,
    needs_app=True,
    why="Anybody on the network can change or delete this data.",
    remedy="Put the dependency that finds the caller on the route or its router, and check that the row is theirs.",
)
def unauthenticated_write(evidence: Evidence) -> Iterator[Hit]:
    """A POST, PUT, PATCH or DELETE that changes rows or state behind no guard."""
    for operation in evidence.operations:
        if operation.reads or _OPEN_BY_NATURE.search(operation.path) or is_guarded(operation, evidence):
            continue
        registers = operation.method == "POST" and any(_PASSWORD.fullmatch(field.name) for field in operation.body)
        if not registers and evidence.changes(operation.function):
            yield operation.hit(f"{operation.title} changes data for anybody")
    for made in evidence.declared_operations:
        if made.is_open and not made.reads and not _OPEN_BY_NATURE.search(made.path):
            yield made.hit(f"{made.title} changes data for anybody")


@rule(
    "personal-data-open",
    "Personal data for everybody",
    severity=Severity.ERROR,
    needs_app=True,
    why="Addresses of people that nobody has to log in for are collected, sold and a matter for the data protection authority.",
    remedy="Ask who calls, and show each caller what is theirs; give public views a schema of their own.",
)
def personal_data_open(evidence: Evidence) -> Iterator[Hit]:
    """A GET behind no guard whose answer holds e-mail addresses, telephone numbers, postal addresses or birthdays."""
    for operation in evidence.offered:
        found = sorted({field.name for field in operation.response if field.name.lower() in _PERSONAL})
        if operation.reads and found and not is_guarded(operation, evidence):
            yield operation.hit(f"{operation.title} shows {', '.join(found)} to anybody")


@rule(
    "password-in-response",
    "An answer holds a password or its hash",
    severity=Severity.ERROR,
    needs_app=True,
    why="A hash that is sent out ends up in logs, caches and browsers, and is guessed at leisure.",
    remedy="Give answers a schema of their own without it.",
)
def password_in_response(evidence: Evidence) -> Iterator[Hit]:
    """A field of an answer's schema that is named after a password."""
    for operation in evidence.offered:
        for field in operation.response:
            if _PASSWORD.fullmatch(field.name.lower()) and set(field.kinds) & {str, bytes}:
                yield _at_field(evidence, operation, field, f"`{field.name}` is in the answer of {operation.title}")


@rule(
    "role-from-client",
    "Clients choose their own role",
    severity=Severity.ERROR,
    needs_app=True,
    why="Whoever registers or edits a profile makes themselves an administrator.",
    remedy="Take the field out of the schema that people send; give roles by an operation of its own that asks for the right.",
)
def role_from_client(evidence: Evidence) -> Iterator[Hit]:
    """A field of privilege in the body of a write about people that asks for no privilege."""
    for operation in evidence.offered:
        if operation.reads or is_privileged(operation, evidence):
            continue
        for field in operation.body:
            about = f"{operation.path} {field.owner.__name__ if field.owner else ''}"
            if field.name.lower() in _PRIVILEGES and _PERSON.search(about):
                yield operation.hit(f"{operation.title} takes `{field.name}` from the client")


@rule(
    "owner-from-client",
    "Clients say whose row it is",
    severity=Severity.ERROR,
    needs_app=True,
    why="Anybody can act in the name of anybody else: the handler never compares the id in the body with the caller.",
    remedy="Take the id from the authenticated caller, never from the body.",
)
def owner_from_client(evidence: Evidence) -> Iterator[Hit]:
    """An owner's id in the body of a write whose handler does not look at the caller."""
    for operation in evidence.operations:
        if operation.reads or is_privileged(operation, evidence) or _looks_at_caller(operation, evidence):
            continue
        for field in operation.body:
            if field.name in _OWNERS:
                yield operation.hit(f"{operation.title} takes `{field.name}` from the client")


@rule(
    "answer-undeclared",
    "Whole rows are answered",
    severity=Severity.WARNING,
    needs_app=True,
    why="Every column goes out, and so does each one that is added later: hashes, notes, other people's keys.",
    remedy="Declare what is answered: a response_model, or the return type of the handler.",
)
def answer_undeclared(evidence: Evidence) -> Iterator[Hit]:
    """A handler without a declared answer that returns rows of the database as they are."""
    for operation in evidence.operations:
        function = operation.function
        if operation.returned is not None:
            continue
        rows = {
            name
            for name, values in function.bindings.items()
            if any(_is_rows(value, function, evidence) for value in values)
        }
        for node in function.nodes:
            if isinstance(node, ast.Return) and node.value is not None:
                named = isinstance(node.value, ast.Name) and node.value.id in rows
                if named or _is_rows(node.value, function, evidence):
                    yield function.module.hit(node, f"{operation.title} answers with rows as they are")


def _is_rows(node: ast.expr, function: Function, evidence: Evidence) -> bool:
    """Whether a value is rows, or one row, of a mapped class: read as such, or made here."""
    node = node.value if isinstance(node, ast.Await) else node
    for use in evidence.uses[function]:
        if use.node is node and use.runs and not use.writes:
            mapped = {
                evidence.source.names(part, function.module) for part in use.statement if isinstance(part, ast.Name)
            }
            return use.last in {"all", "first", "one", "one_or_none", "get"} and bool(mapped & evidence.mapped)
    return isinstance(node, ast.Call) and evidence.source.names(node.func, function.module) in evidence.mapped


def _at_field(evidence: Evidence, operation: Operation | DeclaredOperation, field: Field, message: str) -> Hit:
    place = evidence.place_of(field.owner, field.name) if field.owner else None
    return (
        Hit(place, message, f"{field.owner.__name__}.{field.name}") if place and field.owner else operation.hit(message)
    )


def _looks_at_caller(operation: Operation, evidence: Evidence) -> bool:
    """Whether the handler uses what a guard gave it."""
    guards = {each.name for each in operation.route.dependant.dependencies if each.name and asks(each.call, evidence)}
    used = {name for statement in operation.function.node.body for name in names_in(statement)}
    if guards & used or "request" in used:
        return True
    return any(isinstance(node, ast.Compare) and _mentions_owner(node) for node in operation.function.nodes)


def _mentions_owner(node: ast.Compare) -> bool:
    return any(isinstance(part, ast.Attribute) and part.attr in _OWNERS for part in [node.left, *node.comparators])
