"""What Schemathesis has to say of an operation, and of an answer to a request that it generated."""

from __future__ import annotations

from typing import Any

import requests
import schemathesis
from schemathesis import GenerationMode
from schemathesis.core.failures import FailureGroup
from schemathesis.core.transport import Response
from schemathesis.specs.openapi import checks

from freehold.testing.wire import Answer

__all__ = ["FailureGroup", "GenerationMode", "judge", "operations_of"]

CHECKS = (
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
)


def operations_of(document: dict[str, Any]) -> list[Any]:
    """The operations of an OpenAPI document."""
    return [found.ok() for found in schemathesis.openapi.from_dict(document).get_all_operations()]


def judge(case: Any, prepared: requests.PreparedRequest, answer: Answer) -> None:
    assert answer.status < 500, f"{prepared.method} {prepared.url}: {answer}"
    headers: dict[str, list[str]] = {}
    for name, text in answer.headers:
        headers.setdefault(name, []).append(text)
    response = Response(
        status_code=answer.status, headers=headers, content=answer.body, request=prepared, elapsed=0.1, verify=False
    )
    # Past the edge's own limits a request is refused before anyone reads it.
    asked = [check for check in CHECKS if answer.status not in (413, 414, 431) or check is not CHECKS[-1]]
    case.validate_response(response, checks=asked)
