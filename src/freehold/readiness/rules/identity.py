"""Log-in, tokens and the secrets that they rest on."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from freehold.readiness.app.guards import decorators
from freehold.readiness.app.operations import Operation
from freehold.readiness.evidence import Evidence
from freehold.readiness.rule import Hit, Severity, rule
from freehold.readiness.source.index import Function
from freehold.readiness.source.module import Module
from freehold.readiness.source.reading import called, is_false, keyword, last_name, names_in, status_of, text

_TOKEN_ERROR = re.compile(r"(?:Expired|Invalid\w*Token|JWT|JWS|Jose|Signature|Decode)\w*")
_TOKEN_PACKAGES = {"jwt", "jose", "joserfc", "authlib", "itsdangerous"}
_LOGIN = re.compile(r"log-?_?in|sign-?_?in|token|session|authenticate", re.IGNORECASE)
_LIMITER = re.compile(r"limit|throttl|slowapi|attempt|lockout|brute", re.IGNORECASE)
_SECRET = re.compile(
    r"(?:.*_)?(?:api_?key|secret|secret_key|signature|hmac|(?:access|reset|csrf|refresh|auth|api)_token)", re.IGNORECASE
)
_RANDOM = {
    f"random.{name}" for name in ("choice", "choices", "randint", "random", "randrange", "sample", "getrandbits")
}
_TO_KEEP = re.compile(r"token|password|passwd|secret|otp|api_?key|session_?id", re.IGNORECASE)
_FAST = {"hashlib.md5", "hashlib.sha1", "hashlib.sha224", "hashlib.sha256", "hashlib.sha512", "hashlib.new"}
_STATEMENTS = {"where", "filter", "filter_by", "and_", "or_", "having", "join"}


@rule(
    "token-error-not-401",
    "A bad token is answered with 403",
    severity=Severity.WARNING,
    why="Clients refresh their token or log in again on 401; on 403 they give up, for the caller is known and may not.",
    remedy="Raise 401 with `WWW-Authenticate: Bearer`; keep 403 for callers who are known.",
)
def token_error_not_401(evidence: Evidence) -> Iterator[Hit]:
    """An `except` of a token library's error that raises 403."""
    for module in evidence.source:
        if not _TOKEN_PACKAGES & {name.partition(".")[0] for name in module.imports.values()}:
            continue
        for handler in module.each(ast.ExceptHandler):
            if handler.type is not None and _TOKEN_ERROR.search(ast.unparse(handler.type)):
                for node in ast.walk(handler):
                    if isinstance(node, ast.Call) and called(node) == "HTTPException" and status_of(node) == 403:
                        yield module.hit(node, "an expired or invalid token is answered with 403")


@rule(
    "header-parsed-unchecked",
    "A malformed Authorization header is a 500",
    severity=Severity.WARNING,
    why="A header of one word has no second part: the request ends in an IndexError, a 500 and an alarm at night.",
    remedy="Use fastapi.security.HTTPBearer or OAuth2PasswordBearer, or str.partition and a check of the scheme.",
)
def header_parsed_unchecked(evidence: Evidence) -> Iterator[Hit]:
    """`header.split()[1]` of an Authorization header without a check before it."""
    for function in evidence.source.functions.values():
        checks = any(called(node) in {"startswith", "len"} for node in function.nodes)
        for node in function.nodes:
            if not checks and _is_part_of_split(node) and "uthorization" in _origin(node, function):
                if not any(_catches_index_error(above) for above in function.module.above(node)):
                    yield function.module.hit(
                        node, "the header's second part is taken without a look whether there is one"
                    )


@rule(
    "login-unlimited",
    "Passwords may be guessed without limit",
    severity=Severity.WARNING,
    needs_app=True,
    why="A million guesses a day against one account, or one common password against all accounts, are answered patiently.",
    remedy="Limit the operation strictly, per address and account: a few tries a minute.",
)
def login_unlimited(evidence: Evidence) -> Iterator[Hit]:
    """A log-in without a limiter on the route, in its dependencies, in what it calls, or as a middleware."""
    middleware = [getattr(each.cls, "__name__", "") for each in getattr(evidence.app, "user_middleware", ())]
    if any(_LIMITER.search(name) for name in middleware):
        return
    for operation in evidence.operations:
        if not operation.declared and _is_login(operation) and not _is_limited(operation, evidence):
            yield operation.hit(f"{operation.title} takes a password as often as anybody likes")


@rule(
    "limiter-per-process",
    "Each process counts for itself",
    severity=Severity.NOTE,
    why="With N workers a limit of five is a limit of 5 x N, and every restart sets it back.",
    remedy="Give the limiter a store that all processes share: storage_uri='redis://…'.",
)
def limiter_per_process(evidence: Evidence) -> Iterator[Hit]:
    """A slowapi Limiter with the store of one process."""
    for module, call, name in evidence.source.calls:
        if name in {"slowapi.Limiter", "slowapi.extension.Limiter"}:
            store = keyword(call, "storage_uri")
            if (store is None and all(each.arg for each in call.keywords)) or (text(store) or "").startswith("memory"):
                yield module.hit(call, "the limiter keeps its counts in the memory of one process")


@rule(
    "weak-password-hash",
    "A password goes through a fast hash",
    severity=Severity.ERROR,
    why="A graphics card tries billions of MD5 or SHA hashes a second; a stolen table is read within days.",
    remedy="Use Argon2id or bcrypt, which are slow on purpose: pwdlib, argon2-cffi.",
)
def weak_password_hash(evidence: Evidence) -> Iterator[Hit]:
    """Hashlib's fast functions over something named after a password."""
    for module, call, name in evidence.source.calls:
        said = " ".join(last_name(node) for each in call.args for node in ast.walk(each)).lower()
        if name in _FAST and re.search(r"passw|pwd", said) and not re.search(r"pwned|breach|hibp", module.text.lower()):
            yield module.hit(call, f"{name} over a password")


@rule(
    "jwt-unverified",
    "A token is read without being verified",
    severity=Severity.ERROR,
    why="Anybody can write a token that says what they like.",
    remedy="Decode with the key and the list of algorithms that you sign with.",
)
def jwt_unverified(evidence: Evidence) -> Iterator[Hit]:
    """A decode without algorithms, or with verification switched off."""
    for module, call, name in evidence.source.calls:
        if name in {"jose.jwt.get_unverified_claims", "jose.jws.get_unverified_claims"}:
            yield module.hit(call, "claims are read without a look at the signature")
        elif name in {"jwt.decode", "jose.jwt.decode"}:
            options = keyword(call, "options")
            off = options is not None and re.search(r"['\"]verify_(?:signature|exp)['\"]: False", ast.unparse(options))
            if off or is_false(keyword(call, "verify")):
                yield module.hit(call, "the verification of the token is switched off")
            elif keyword(call, "algorithms") is None and len(call.args) < 3 and all(each.arg for each in call.keywords):
                yield module.hit(call, "the token may name the algorithm that it is verified by")


@rule(
    "jwt-without-expiry",
    "A token never expires",
    severity=Severity.WARNING,
    why="A token that is lost once opens the account for ever.",
    remedy="Put `exp` into the payload: minutes for an access token.",
)
def jwt_without_expiry(evidence: Evidence) -> Iterator[Hit]:
    """An encode of a literal payload without `exp`."""
    for function in evidence.source.functions.values():
        for node in function.nodes:
            if isinstance(node, ast.Call) and function.module.qualified(node.func) in {"jwt.encode", "jose.jwt.encode"}:
                payload = node.args[0] if node.args else None
                if isinstance(payload, ast.Name):
                    payload = (function.bindings.get(payload.id) or [payload])[0]
                if isinstance(payload, ast.Dict) and not any(text(each) == "exp" for each in function.nodes):
                    yield function.module.hit(node, "the payload has no `exp`")


@rule(
    "secret-compared-plainly",
    "A secret is compared with ==",
    severity=Severity.WARNING,
    why="The comparison ends at the first wrong character, and the time that it takes tells how many were right.",
    remedy="Use secrets.compare_digest.",
)
def secret_compared_plainly(evidence: Evidence) -> Iterator[Hit]:
    """`==` between two values of which one is named after a secret; comparisons in SQL are left alone."""
    for module in evidence.source:
        for node in module.each(ast.Compare):
            sides = [node.left, *node.comparators]
            plain = len(sides) == 2 and isinstance(node.ops[0], ast.Eq | ast.NotEq)
            named = any(_SECRET.fullmatch(last_name(side)) for side in sides)
            if plain and named and all(isinstance(side, ast.Name | ast.Attribute | ast.Call) for side in sides):
                if not any(called(above) in _STATEMENTS for above in module.above(node)):
                    yield module.hit(node, f"{ast.unparse(node)} is a comparison that stops early")


@rule(
    "weak-token",
    "A secret is made by a predictable generator",
    severity=Severity.ERROR,
    why="`random` is reckoned back from a few of its values, and with it every token that it will give.",
    remedy="Use the module `secrets`: secrets.token_urlsafe().",
)
def weak_token(evidence: Evidence) -> Iterator[Hit]:
    """`random` in a function, or for a name, that speaks of a token or a password."""
    for function in evidence.source.functions.values():
        for node in function.nodes:
            if isinstance(node, ast.Call) and function.module.qualified(node.func) in _RANDOM:
                if _TO_KEEP.search(f"{function.called} {_assigned_to(node, function.module)}"):
                    yield function.module.hit(node, f"{ast.unparse(node.func)} makes what nobody may guess")


def _is_login(operation: Operation) -> bool:
    form = any(getattr(call, "__name__", "").startswith("OAuth2PasswordRequestForm") for call in operation.dependencies)
    named = bool(_LOGIN.search("/".join(operation.segments))) and any(
        field.name == "password" for field in operation.body
    )
    return operation.method == "POST" and (form or named)


def _is_limited(operation: Operation, evidence: Evidence) -> bool:
    names = [*decorators(operation.function)]
    names += [str(getattr(call, "__qualname__", type(call).__qualname__)) for call in operation.dependencies]
    names += [each.called for each in evidence.reached(operation.function)]
    names += [word for each in evidence.reached(operation.function) for word in names_in(each.node)]
    return any(_LIMITER.search(name) for name in names)


def _is_part_of_split(node: ast.AST) -> bool:
    if not isinstance(node, ast.Subscript) or called(node.value) != "split":
        return False
    return isinstance(node.slice, ast.Constant) and node.slice.value != 0


def _origin(node: ast.AST, function: Function) -> str:
    """What the value was written as, with what its names were set to."""
    names = names_in(node) & set(function.bindings)
    return " ".join([ast.unparse(node), *(ast.unparse(value) for name in names for value in function.bindings[name])])


def _catches_index_error(node: ast.AST) -> bool:
    caught = [handler.type for handler in node.handlers] if isinstance(node, ast.Try) else []
    return any(kind is None or re.search(r"IndexError|LookupError|\bException", ast.unparse(kind)) for kind in caught)


def _assigned_to(node: ast.AST, module: Module) -> str:
    for above in module.above(node):
        if isinstance(above, ast.Assign):
            return " ".join(ast.unparse(target) for target in above.targets)
    return ""
