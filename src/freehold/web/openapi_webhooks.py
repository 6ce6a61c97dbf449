"""The `webhooks` section of the OpenAPI document: what is sent to those who subscribe, as OpenAPI 3.1 has it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from freehold.webhooks import Webhooks
from freehold.webhooks.events import Event

if TYPE_CHECKING:
    from freehold.web.mounting import Operation

_TEXT = {"type": "string"}
_HEADERS = {
    "webhook-id": "The same at every try: take what comes under it once.",
    "webhook-timestamp": "When this try was sent, in seconds since 1970. Refuse one that is over five minutes off.",
    "webhook-signature": "Signatures of `{webhook-id}.{webhook-timestamp}.{body}`, with spaces between (Standard Webhooks).",
}


def webhooks_section(
    webhooks: Webhooks, shown: Callable[[type[BaseModel]], dict[str, Any]], operations: Sequence[Operation]
) -> dict[str, Any]:
    """By the names of the events. shown: the JSON Schema of a read schema."""
    schemas = {operation.bound.model: operation.bound.read_schema for operation in operations}
    return {event.name: {"post": _event(event, shown(schemas[event.model]))} for event in webhooks.events}


def _event(event: Event, data: dict[str, Any]) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "type": {"const": event.name},
        "timestamp": {"type": "string", "format": "date-time", "description": "When it happened"},
        "sequence": {"type": "integer", "description": "Grows with each event about one object"},
        "data": data,
    }
    schema = {"type": "object", "properties": properties, "required": list(properties)}
    summary = event.description.rstrip(".") or event.name
    return {
        "operationId": "webhook_" + event.name.replace(".", "_"),
        "summary": summary,
        "description": f"{summary}. Sent to subscribers who may read the row, with the fields that they may read.",
        "tags": ["webhook-endpoints"],
        "parameters": [
            {"name": name, "in": "header", "required": True, "description": said, "schema": dict(_TEXT)}
            for name, said in _HEADERS.items()
        ],
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
        "responses": {
            "2XX": {"description": "Taken; anything else is tried again, for about three days"},
            "410": {"description": "Send no more: the endpoint is switched off"},
        },
    }
