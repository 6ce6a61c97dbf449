"""Bars as an SVG: one group for each workload, one bar for each contender, readable on light and dark pages."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from bench.versus.contenders import CONTENDERS

WIDTH, NAMES, FIGURES = 760, 250, 70
BAR, GAP, TITLE = 16, 3, 30
OURS, THEIRS = "#2f6f4f", "#8a97a6"


def chart(medians: Mapping[str, Mapping[str, float]]) -> str:
    """medians: microseconds by workload and contender. Each workload has a scale of its own."""
    parts, top = [], 0
    for name, by_contender in medians.items():
        parts.append(_text(0, top + 20, f"{name}, CPU microseconds per request", weight="bold"))
        top += TITLE
        most = max(by_contender.values())
        for who, value in by_contender.items():
            parts += _bar(top, who, value, share=value / most)
            top += BAR + GAP
        top += GAP
    style = "<style>text{font:12px sans-serif;fill:#444}@media(prefers-color-scheme:dark){text{fill:#ccc}}</style>"
    label = escape("CPU microseconds per request, by workload and contender")
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top}" role="img" aria-label="{label}">'
    return "\n".join([head, style, *parts, "</svg>"]) + "\n"


def _bar(top: int, who: str, value: float, *, share: float) -> list[str]:
    length = max(2, round((WIDTH - NAMES - FIGURES) * share))
    colour = OURS if CONTENDERS[who].is_ours else THEIRS
    return [
        _text(NAMES - 8, top + 12, CONTENDERS[who].title.partition(" (")[0], anchor="end"),
        f'<rect x="{NAMES}" y="{top}" width="{length}" height="{BAR}" rx="2" fill="{colour}"/>',
        _text(NAMES + length + 6, top + 12, f"{value:.0f}"),
    ]


def _text(x: int, y: int, text: str, *, anchor: str = "start", weight: str = "normal") -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}" font-weight="{weight}">{escape(text)}</text>'
