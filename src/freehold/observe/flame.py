"""A flame graph as one SVG file: wide is expensive, above is called. Each box tells its share on hover."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape
from zlib import crc32

from freehold.observe.sampling import Frame, Samples
from freehold.observe.steps import OTHER, step_of

WIDTH, ROW, NARROWEST = 1200, 17, 0.5
_COLOURS = {
    "server": "#b8b0d8", "edge": "#8fb8de", "dispatch": "#a7d3d8", "guard": "#f2b880", "validate": "#f4d58d",
    "plan": "#c5d86d", "statement": "#7fb685", "encode": "#e6a57e", "commit": "#d98880", "own code": "#e8d5f2",
    "background": "#cccccc", OTHER: "#dddddd",
}  # fmt: skip


@dataclass(slots=True)
class _Box:
    number: int = 0
    above: dict[Frame, _Box] = field(default_factory=dict)
    steps: Counter[str] = field(default_factory=Counter)


def flame_graph(samples: Samples, *, title: str) -> str:
    """The SVG. Boxes narrower than half a pixel are left out."""
    root, deepest = _Box(), 0
    for stack, number in samples.stacks.items():
        deepest = max(deepest, len(stack))
        _add(root, stack, number)
    height = (deepest + 2) * ROW
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title)}">'
        "<style>text{font:11px monospace;fill:#222;pointer-events:none}rect{stroke:#fff;stroke-width:.5}</style>"
        f'<text x="4" y="13">{escape(title)}</text>'
    )
    boxes = _boxes(root, 0.0, height - ROW, WIDTH / (root.number or 1), root.number or 1)
    return "\n".join([head, *boxes, "</svg>"]) + "\n"


def _add(root: _Box, stack: tuple[Frame, ...], number: int) -> None:
    root.number += number
    step, box = step_of(stack), root
    for frame in stack:
        box = box.above.setdefault(frame, _Box())
        box.number += number
        box.steps[step] += number


def _boxes(box: _Box, left: float, top: float, scale: float, whole: int) -> Iterator[str]:
    for frame, above in sorted(
        box.above.items(), key=lambda each: each[0][::-1]
    ):  # by function: wherever it is installed
        width = above.number * scale
        if width >= NARROWEST:
            yield _drawn(frame, above, left, top, width=width, share=above.number / whole)
            yield from _boxes(above, left, top - ROW, scale, whole)
        left += width


def _drawn(frame: Frame, box: _Box, left: float, top: float, *, width: float, share: float) -> str:
    file, function = frame
    place = "/".join(file.split("/")[-2:])
    shade = 0.75 + crc32(function.encode()) % 25 / 100
    label = function if width > 7 * len(function) else function[: max(0, int(width / 7) - 1)]
    text = f'<text x="{left + 2:.1f}" y="{top + 12:.1f}">{escape(label)}</text>' if label else ""
    colour = _COLOURS[box.steps.most_common(1)[0][0]]
    return (
        f"<g><title>{escape(function)} ({escape(place)}) {share:.1%}</title>"
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{ROW - 1}" fill="{colour}" '
        f'fill-opacity="{shade:.2f}"/>{text}</g>'
    )
