"""Text types for schemas: what they take, and take as it is."""

from __future__ import annotations

import unicodedata

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from freehold.fields import Line, Prose
from freehold.identity.schemas import UserUpdate

TURNING = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


class Both(BaseModel):
    line: Line
    prose: Prose


def test_V05_text_that_shows_in_another_order_than_it_is_read_is_refused() -> None:
    turning = [chr(code) for code in range(0x110000) if unicodedata.bidirectional(chr(code)) in TURNING]
    assert len(turning) == 9
    for kind in (Line, Prose):
        for mark in turning:
            with pytest.raises(ValidationError, match="string_pattern_mismatch"):
                TypeAdapter(kind).validate_python(f"invoice{mark}fdp.exe")
    for mark in turning:
        with pytest.raises(ValidationError):
            UserUpdate(full_name=f"Ada {mark}")


def test_V05_text_of_every_script_is_taken_as_it_is() -> None:
    spelled = [
        "\u05e9\u05dc\u05d5\u05dd 123 abc",
        "\u0645\u0631\u062d\u0628\u0627",
        "a\u200fb\u200e\u061c",
        "e\u0301 \u6771\u4eac",
        "\U0001f468\u200d\U0001f469",
    ]
    for text in spelled:
        assert Both(line=text, prose=f"{text}\n\t{text}").line == text
    for text in ("a\nb", "a\u2028b", "a\u2029b", "a\x00b", "a\x85b"):
        with pytest.raises(ValidationError):
            TypeAdapter(Line).validate_python(text)


def test_V05_the_document_says_the_same() -> None:
    told = Both.model_json_schema()["properties"]
    assert all(r"\u202a-\u202e\u2066-\u2069" in told[name]["pattern"] for name in ("line", "prose"))
