"""One colour, made into those that a page needs, so that each can be read (WCAG 2.2, 1.4.3: 4.5 to 1)."""

from __future__ import annotations

from dataclasses import dataclass

READABLE = 4.5
LIGHT_PAPER, LIGHT_CARD = "#f4f5f7", "#ffffff"
DARK_PAPER, DARK_CARD = "#14171a", "#1d2125"
_STEPS = 100


@dataclass(frozen=True, slots=True)
class Shades:
    """brand: of links and buttons, readable on the paper and the card. on_brand: of text on a button."""

    brand: str
    on_brand: str


def shades(color: str, *, dark: bool) -> Shades:
    """The colour as it is where it can be read, else the nearest that can. color: `#rrggbb`."""
    papers = (DARK_PAPER, DARK_CARD) if dark else (LIGHT_PAPER, LIGHT_CARD)
    towards = "#ffffff" if dark else "#000000"
    brand = next(
        shade
        for step in range(_STEPS + 1)
        if all(contrast(shade := _mixed(color, towards, step / _STEPS), paper) >= READABLE for paper in papers)
    )
    on_brand = max(("#ffffff", "#000000"), key=lambda text: contrast(text, brand))
    return Shades(brand, on_brand)


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, 1 to 21."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def style(color: str) -> str:
    """The custom properties of a style sheet, for both schemes."""
    light, dark = shades(color, dark=False), shades(color, dark=True)
    return (
        f":root {{ --brand: {light.brand}; --on-brand: {light.on_brand}; --paper: {LIGHT_PAPER}; --card: {LIGHT_CARD} }}\n"
        "@media (prefers-color-scheme: dark) {\n"
        f":root {{ --brand: {dark.brand}; --on-brand: {dark.on_brand}; --paper: {DARK_PAPER}; --card: {DARK_CARD} }}\n"
        "}\n"
    )


def _parts(color: str) -> tuple[int, int, int]:
    red, green, blue = (int(color[start : start + 2], 16) for start in (1, 3, 5))
    return red, green, blue


def _mixed(color: str, towards: str, share: float) -> str:
    mixed = (round(a + (b - a) * share) for a, b in zip(_parts(color), _parts(towards), strict=True))
    return "#" + "".join(f"{part:02x}" for part in mixed)


def _luminance(color: str) -> float:
    red, green, blue = (_linear(part / 255) for part in _parts(color))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)
