"""From bytes to components and properties: as much of RFC 5545 as reading needs, in one pass over the text.

The parser of icalendar takes seconds for a megabyte and keeps the time zones of one feed for all others
(docs/decisions: foreign calendars are read by a parser of our own).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

LARGEST = 1024 * 1024
MOST_LINES = 200_000

_FOLD = re.compile(r"\n[ \t]")
_NAME = re.compile(r"[A-Za-z0-9-]{1,60}")
_PARAMETER = re.compile(r';([A-Za-z0-9-]{1,60})=("[^"\n]*"|[^;:,"\n]*)(?:,(?:"[^"\n]*"|[^;:,"\n]*))*')
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


class CalendarRefused(ValueError):
    """The data is no calendar, or too much of one. The message may be shown to the one who gave the address."""


@dataclass(frozen=True, slots=True)
class Property:
    """A value as it stands in the file, with its parameters by upper-case name."""

    value: str
    parameters: Mapping[str, str]

    @property
    def text(self) -> str:
        """The value with its escapes undone."""
        return _ESCAPED.sub(lambda found: "\n" if found[1] in "nN" else found[1], self.value)


@dataclass(slots=True)
class Component:
    """`BEGIN` to `END`: properties by upper-case name, in order, and what is inside."""

    name: str
    properties: dict[str, list[Property]] = field(default_factory=dict)
    inside: list[Component] = field(default_factory=list)

    def first(self, name: str) -> Property | None:
        """The first property of this name."""
        found = self.properties.get(name)
        return found[0] if found else None

    def all(self, name: str) -> list[Property]:
        """All of this name."""
        return self.properties.get(name, [])


def parse(data: bytes) -> Component:
    """The VCALENDAR. Lines that cannot be read are left out. Raises CalendarRefused."""
    if len(data) > LARGEST:
        raise CalendarRefused(f"The calendar is larger than {LARGEST} bytes.")
    root = Component("")
    stack = [root]
    for name, parameters, value in _lines(data):
        if name == "BEGIN":
            _open(stack, value.strip().upper())
        elif name == "END":
            if len(stack) > 1 and stack[-1].name == value.strip().upper():
                stack.pop()
        else:
            stack[-1].properties.setdefault(name, []).append(Property(value, parameters))
    for component in root.inside:
        if component.name == "VCALENDAR":
            return component
    raise CalendarRefused("This is not a calendar: it has no BEGIN:VCALENDAR.")


def _open(stack: list[Component], name: str) -> None:
    if len(stack) > 10:
        raise CalendarRefused("The calendar is nested too deeply.")
    made = Component(name)
    stack[-1].inside.append(made)
    stack.append(made)


def _lines(data: bytes) -> Iterator[tuple[str, dict[str, str], str]]:
    text = data.decode("utf-8-sig", errors="replace").replace("\r\n", "\n").replace("\r", "\n")
    lines = _FOLD.sub("", text).split("\n")
    if len(lines) > MOST_LINES:
        raise CalendarRefused(f"The calendar has more than {MOST_LINES} lines.")
    for line in lines:
        read = _line(line)
        if read is not None:
            yield read


def _line(line: str) -> tuple[str, dict[str, str], str] | None:
    match = _NAME.match(line)
    if match is None:
        return None
    name, at, parameters = match.group().upper(), match.end(), {}
    while (found := _PARAMETER.match(line, at)) is not None:
        parameters[found.group(1).upper()] = found.group(2).strip('"')
        at = found.end()
    if line[at : at + 1] != ":":
        return None
    return name, parameters, line[at + 1 :]
