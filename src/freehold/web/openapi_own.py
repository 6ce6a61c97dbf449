"""Path operations of one's own in the OpenAPI document, beyond what FastAPI knows of them."""

from __future__ import annotations

from typing import Any

from freehold.resource.access import Constant, Rule
from freehold.web.openapi_responses import headers, refusal

_ALWAYS = (400, 401, 414, 421, 429, 431, 500, 503)  # the edge and the guard, on any request
_OF_WRITES = (403, 404, 409, 413, 415, 422, 507)


def describe(operation: dict[str, Any], method: str, path: str, rule: Rule | None) -> None:
    """Security and refusals. rule: of the route; None where another than ours guards it."""
    is_public = rule is None or (isinstance(rule, Constant) and rule.value)
    operation.setdefault("security", [] if is_public else [{"bearer": []}])
    if not operation.get("description"):
        operation["description"] = f"{operation.get('summary') or operation['operationId']}."
    responses = operation.setdefault("responses", {})
    if "422" in responses and not _can_be_invalid(operation, method):
        del responses["422"]
    statuses = {*_ALWAYS, *(int(status) for status in responses if status.isdigit() and int(status) >= 400)}
    if not is_public:
        statuses |= {403, 404}  # 404 too without an id: what is one's own may be gone while the token still is good
    if "{" in path:
        statuses.add(404)
    if method not in ("get", "head", "options"):
        statuses |= {*_OF_WRITES}
    for status in sorted(statuses):
        described = responses.get(str(status), {})
        # What an author wrote of a refusal stays; what it looks like is the same for all.
        said = described.get("description") if described.get("content") is None else None
        responses[str(status)] = {**refusal(status), **({"description": said} if said else {})}


def describe_retry(operation: dict[str, Any], key_header: dict[str, Any]) -> None:
    """What a write inside the unit of work takes and answers for retries."""
    operation.setdefault("parameters", []).append(key_header)
    for status, response in operation.get("responses", {}).items():
        if status.startswith("2"):
            response.setdefault("headers", {}).update(headers("Idempotent-Replayed"))


def _can_be_invalid(operation: dict[str, Any], method: str) -> bool:
    """Whether a value of the right place can be of the wrong form; an id taken as plain text cannot."""
    if "requestBody" in operation or method not in ("get", "head", "options"):
        return True
    return any(
        set(each.get("schema", {})) - {"title", "type", "default"} or each["schema"].get("type") != "string"
        for each in operation.get("parameters", ())
    )
