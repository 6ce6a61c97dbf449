"""Two schemas: what the new one takes or gives that the old one did not, and the other way round."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Literal

from freehold.contract.findings import Change
from freehold.contract.limits import compare_limits
from freehold.contract.places import Place
from freehold.contract.shapes import Shape, shape_of

Direction = Literal["request", "answer"]
"""Who writes what the schemas describe: a client (request), or the service (answer)."""


class Comparison:
    """Of the schemas of one operation, in one direction. A pair of schemas is compared once, also where they nest in themselves."""

    def __init__(self, direction: Direction) -> None:
        self.direction = direction
        self._seen: set[tuple[str | None, str | None]] = set()

    def of(self, old: Place, new: Place, name: str) -> Iterator[Change]:
        """The changes from one schema to another. name: what people call what they describe, for the sentences."""
        pair = (_standing(old), _standing(new))
        if pair in self._seen:
            return
        self._seen.add(pair)
        before, after = shape_of(old), shape_of(new)
        name = _component(old) or name
        yield from self._nulls(before, after, name)
        if before.variants or after.variants:
            yield from self._variants(before, after, name)
            return
        if before.types != after.types:
            yield from self._types(before, after, name)
            if not _common(before.types, after.types):
                return
        yield from self._values(before, after, name)
        yield from self._limits(before, after, name)
        yield from self._fields(before, after, name)
        if "array" in before.types & after.types:
            yield from self._inner(before.items, after.items, f"{name}[]")
        if not before.is_closed and not after.is_closed:
            yield from self._inner(before.others, after.others, f"{name}.*")

    def _inner(self, old: Place | None, new: Place | None, name: str) -> Iterator[Change]:
        """Where either says something of what is inside; where both are silent, there is nothing further in."""
        if old and new and (old.value is not None or new.value is not None):
            yield from self.of(old, new, name)

    def _change(self, kind: str, at: Shape | Place, what: str) -> Change:
        place = at.place if isinstance(at, Shape) else at
        return Change(f"{self.direction}.{kind}", place.pointer, what)

    def _nulls(self, before: Shape, after: Shape, name: str) -> Iterator[Change]:
        if after.is_nullable and not before.is_nullable:
            yield self._change("null_added", before, f"{name} may be null")
        if before.is_nullable and not after.is_nullable:
            yield self._change("null_removed", before, f"{name} may not be null any longer")

    def _types(self, before: Shape, after: Shape, name: str) -> Iterator[Change]:
        what = f"{name} is {_types(after)}, was {_types(before)}"
        if _within(before.types, after.types):
            yield self._change("type_widened", before, what)
        elif _within(after.types, before.types):
            yield self._change("type_narrowed", before, what)
        else:
            yield self._change("type_changed", before, what)

    def _values(self, before: Shape, after: Shape, name: str) -> Iterator[Change]:
        if before.values is None and after.values is None:
            return
        if before.values is None:
            yield self._change("values_removed", before, f"{name} is one of {_listed(after.values)} now, was free")
        elif after.values is None:
            yield self._change("values_added", before, f"{name} is free now, was one of {_listed(before.values)}")
        else:
            gone = [value for value in before.values if value not in after.values]
            come = [value for value in after.values if value not in before.values]
            if gone:
                yield self._change("values_removed", before, f"{name} has no {_listed(gone)} any longer")
            if come:
                yield self._change("values_added", before, f"{name} may be {_listed(come)}")

    def _limits(self, before: Shape, after: Shape, name: str) -> Iterator[Change]:
        for kind, what in compare_limits(before.limits, after.limits):
            yield self._change(kind, before, f"{name}: {what}")
        default, given = before.limits.get("default"), after.limits.get("default")
        if self.direction == "request" and default != given and "default" in before.limits:
            yield self._change(
                "default_changed", before, f"{name} is {_json(given)} where left out, was {_json(default)}"
            )

    def _fields(self, before: Shape, after: Shape, name: str) -> Iterator[Change]:
        for field, old in before.fields.items():
            if field in after.fields:
                yield from self.of(old, after.fields[field], f"{name}.{field}")
                yield from self._presence(before, after, field, name)
            else:
                yield self._change(self._removal(after), old, f"{name}.{field} is gone")
        for field in after.fields.keys() - before.fields.keys():
            is_required = self.direction == "request" and field in after.required
            suffix, said = ("_required", ", required") if is_required else ("", "")
            yield self._change(f"field_added{suffix}", before, f"{name}.{field} is new{said}")
        if after.is_closed and not before.is_closed:
            yield self._change("closed", before, f"{name} takes no further fields any longer")
        if before.is_closed and not after.is_closed:
            yield self._change("opened", before, f"{name} takes further fields")

    def _removal(self, after: Shape) -> str:
        if self.direction == "answer":
            return "field_removed"
        return "field_refused" if after.is_closed else "field_ignored"

    def _presence(self, before: Shape, after: Shape, field: str, name: str) -> Iterator[Change]:
        was, is_now = field in before.required, field in after.required
        if is_now and not was:
            yield self._change("field_required", before.fields[field], f"{name}.{field} is required")
        if was and not is_now:
            yield self._change("field_optional", before.fields[field], f"{name}.{field} is optional")

    def _variants(self, before: Shape, after: Shape, name: str) -> Iterator[Change]:
        gone, come = list(before.variants or (before.place,)), list(after.variants or (after.place,))
        for rank in (_identity, _kind):
            for old in list(gone):
                new = next((each for each in come if rank(each) == rank(old)), None)
                if new is not None:
                    gone.remove(old)
                    come.remove(new)
                    yield from self.of(old, new, name)
        for old, new in zip(
            list(gone), list(come), strict=False
        ):  # what is left is told apart by nothing but its order
            gone.remove(old)
            come.remove(new)
            yield from self.of(old, new, name)
        for old in gone:
            yield self._change("type_narrowed", old, f"{name} is never {_called(old)} any longer")
        for new in come:
            yield self._change("type_widened", before, f"{name} may be {_called(new)}")


def _standing(place: Place) -> str | None:
    """Where a schema stands. All that say nothing are one: held against one that nests in itself they would go on for ever."""
    found = place.followed()
    return None if found.value is None else found.pointer


def _component(place: Place) -> str | None:
    """The name under which several operations share it, so that what becomes of it is said once for all of them."""
    reference = place.value.get("$ref") if isinstance(place.value, dict) else None
    return str(reference).rpartition("/")[2] if reference else None


def _identity(place: Place) -> str:
    """What a variant is called, or all that it says."""
    return _component(place) or _json(place.value)


def _kind(place: Place) -> object:
    """What tells variants apart on the wire: the types, and for objects the fixed fields (the discriminator)."""
    shape = shape_of(place)
    fixed = {name: shape_of(field).values for name, field in shape.fields.items()}
    return shape.types, _json({name: values for name, values in fixed.items() if values})


def _called(place: Place) -> str:
    return _component(place) or _types(shape_of(place))


def _within(inner: frozenset[str], outer: frozenset[str]) -> bool:
    """Whether each type of the one is a type of the other; every integer is a number, no type at all is every type."""
    return not outer or (
        bool(inner) and all(each in outer or (each == "integer" and "number" in outer) for each in inner)
    )


def _common(old: frozenset[str], new: frozenset[str]) -> bool:
    return _within(old, new) or _within(new, old)


def _types(shape: Shape) -> str:
    return " or ".join(sorted(shape.types)) or "anything"


def _listed(values: Any) -> str:
    return ", ".join(_json(value) for value in values)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
