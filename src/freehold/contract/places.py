"""A part of an OpenAPI document together with where it stands (RFC 6901), references followed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from freehold.errors import ConfigurationError


@dataclass(frozen=True)
class Place:
    """A value in a document. `value` is None where nothing stands there."""

    document: dict[str, Any]
    value: Any
    pointer: str

    def at(self, *steps: str) -> Place:
        """The value further in."""
        value, pointer = self.value, self.pointer
        for step in steps:
            value = value.get(step) if isinstance(value, dict) else None
            pointer = f"{pointer}/{escaped(step)}"
        return Place(self.document, value, pointer)

    def children(self) -> Iterator[tuple[str, Place]]:
        """The members of an object, or the items of a list by their number."""
        if isinstance(self.value, dict):
            pairs = [(str(name), value) for name, value in self.value.items()]
        else:
            pairs = [(str(number), value) for number, value in enumerate(self.value or ())]
        for name, value in pairs:
            yield name, Place(self.document, value, f"{self.pointer}/{escaped(name)}")

    def followed(self) -> Place:
        """Where `$ref` leads, with what stands beside it; itself where there is none.

        Raises ConfigurationError for a reference that leads nowhere, out of the document, or round in a circle.
        """
        place, seen = self, set()
        while isinstance(place.value, dict) and "$ref" in place.value:
            reference = str(place.value["$ref"])
            target = Place(self.document, self.document, "").at(
                *map(unescaped, reference.removeprefix("#/").split("/"))
            )
            if not reference.startswith("#/") or target.value is None or reference in seen:
                raise ConfigurationError(
                    f"{place.pointer} of the OpenAPI document refers to {reference}, which is not in it. "
                    "References have to stay inside the document: bundle it into one file."
                )
            seen.add(reference)
            beside = {name: value for name, value in place.value.items() if name != "$ref"}
            place = Place(self.document, {**target.value, **beside}, target.pointer) if beside else target
        return place


def escaped(step: str) -> str:
    """A step of a JSON Pointer."""
    return step.replace("~", "~0").replace("/", "~1")


def unescaped(step: str) -> str:
    """The name behind a step of a JSON Pointer."""
    return step.replace("~1", "/").replace("~0", "~")
