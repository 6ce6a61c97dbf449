"""A small contract, and a way to change it: `changed({"/paths/…": value})`, with GONE for what goes."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

GONE = object()

_PROBLEM = {"content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}}
_BOOK = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/BookRead"}}}}

SHOP: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Shop", "version": "1.4.0"},
    "paths": {
        "/v1/books": {
            "get": {
                "operationId": "list_books",
                "security": [],
                "parameters": [
                    {"name": "author", "in": "query", "required": False, "schema": {"type": "string", "maxLength": 80}},
                    {"name": "genre", "in": "query", "schema": {"type": "string", "enum": ["prose", "verse"]}},
                    {"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 100, "default": 20}},
                    {"name": "sort", "in": "query", "schema": {"type": "string", "pattern": "^-?(title|year)$"}},
                    {"name": "X-Trace", "in": "header", "schema": {"type": "string"}},
                ],
                "responses": {
                    "200": {
                        "headers": {"Link": {"schema": {"type": "string"}}},
                        "content": {
                            "application/json": {
                                "schema": {"type": "array", "items": {"$ref": "#/components/schemas/BookRead"}}
                            },
                            "text/csv": {"schema": {"type": "string"}},
                        },
                    },
                    "422": _PROBLEM,
                },
            },
            "post": {
                "operationId": "create_book",
                "security": [{"bearer": ["books"]}, {"key": []}],
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/BookDraft"}},
                        "application/x-www-form-urlencoded": {"schema": {"$ref": "#/components/schemas/BookDraft"}},
                    },
                },
                "responses": {"201": _BOOK, "422": _PROBLEM},
            },
        },
        "/v1/books/{id}": {
            "get": {
                "operationId": "get_book",
                "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
                "responses": {"200": _BOOK, "404": _PROBLEM},
            },
            "delete": {
                "operationId": "delete_book",
                "deprecated": True,
                "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
                "responses": {"204": {"description": "Gone"}, "404": _PROBLEM},
            },
        },
        "/status": {"get": {"operationId": "status", "responses": {"200": {"description": "Well"}}}},
    },
    "components": {
        "securitySchemes": {
            "bearer": {"type": "http", "scheme": "bearer"},
            "key": {"type": "apiKey", "in": "header", "name": "X-Key"},
        },
        "schemas": {
            "Problem": {"type": "object", "properties": {"detail": {"type": "string"}}},
            "BookDraft": {
                "type": "object",
                "additionalProperties": False,
                "required": ["title"],
                "properties": {
                    "title": {"type": "string", "minLength": 1, "maxLength": 200},
                    "year": {"anyOf": [{"type": "integer", "minimum": -3000}, {"type": "null"}]},
                    "genre": {"type": "string", "enum": ["prose", "verse"], "default": "prose"},
                    "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 8},
                    "isbn": {"type": "string", "pattern": "^[0-9]{13}$"},
                    "out_on": {"type": "string", "format": "date"},
                    "shelf": {"$ref": "#/components/schemas/ShelfDraft"},
                },
            },
            "ShelfDraft": {"type": "object", "properties": {"row": {"type": "integer"}, "note": {"type": "string"}}},
            "BookRead": {
                "type": "object",
                "required": ["id", "title", "genre", "year", "sequels", "carrier"],
                "properties": {
                    "id": {"type": "string", "format": "uuid"},
                    "title": {"type": "string", "maxLength": 200},
                    "genre": {"type": "string", "enum": ["prose", "verse"]},
                    "year": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
                    "pages": {"type": "integer"},
                    "price": {"type": "number"},
                    "sequels": {"type": "array", "items": {"$ref": "#/components/schemas/BookRead"}},
                    "carrier": {
                        "oneOf": [{"$ref": "#/components/schemas/Paper"}, {"$ref": "#/components/schemas/Audio"}]
                    },
                },
            },
            "Paper": {"type": "object", "properties": {"kind": {"const": "paper"}, "weight": {"type": "integer"}}},
            "Audio": {"type": "object", "properties": {"kind": {"const": "audio"}, "minutes": {"type": "integer"}}},
        },
    },
}


def changed(edits: dict[str, Any]) -> dict[str, Any]:
    """The contract with some places changed, by JSON Pointer; a list item by its number, `-` to append."""
    document = deepcopy(SHOP)
    for pointer, value in edits.items():
        *steps, last = [step.replace("~1", "/") for step in pointer.split("/")[1:]]
        holder: Any = document
        for step in steps:
            holder = holder[int(step)] if isinstance(holder, list) else holder[step]
        if last == "-":
            holder.append(value)
        elif value is GONE:
            del holder[int(last) if isinstance(holder, list) else last]
        else:
            holder[int(last) if isinstance(holder, list) else last] = value
    return document
