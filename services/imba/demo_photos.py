"""Pictures for the listings of the demo, drawn from what each says of itself: nothing is downloaded, nobody's house shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

import pyvips

from freehold import Session
from freehold import media as files

WIDTH, HEIGHT = 1200, 800  # of the drawing's own units
SCALE = 0.8
_WALLS = ("#e8d8c3", "#c9d6d3", "#d9c2b4", "#e6e2d6", "#b9c7d6", "#d8d3a9")
_ROOFS = ("#7a4b3a", "#4d5a66", "#5e4a5c", "#3f5148")
_FLOORS = ("#efe6d8", "#e7ebe4", "#e3e6ee", "#f1e2dc", "#ece7f0")


@dataclass(frozen=True, slots=True)
class Drawing:
    """One picture, and what it shows in words."""

    filename: str
    alt_text: str
    svg: str


async def add(db: Session, listing: Mapping[str, Any]) -> None:
    """Add the pictures of a listing; the job that makes their variants comes after the commit."""
    for each in drawings(listing):
        await files.add(
            db, jpeg(each), owner_id=listing["landlord_id"], purpose="photo", filename=each.filename,
            property_id=listing["id"], alt_text=each.alt_text,
        )  # fmt: skip


def drawings(listing: Mapping[str, Any]) -> Iterator[Drawing]:
    """The house from the street, and its rooms from above. The same listing gives the same pictures."""
    chance = Random(f"{listing['latitude']} {listing['longitude']} {listing['year_built']}")  # noqa: S311
    place, built = listing["city"], listing["year_built"]
    yield Drawing("street.jpg", f"A drawing of the house in {place}, built in {built}", _street(listing, chance))
    rooms = listing["bedrooms"]
    yield Drawing("plan.jpg", f"A drawing of the rooms from above, {rooms} of them bedrooms", _plan(listing, chance))


def jpeg(drawing: Drawing) -> bytes:
    """The drawing as a file that somebody might have sent in."""
    picture = pyvips.Image.svgload_buffer(drawing.svg.encode(), scale=SCALE)
    made: bytes = picture.flatten(background=[255, 255, 255]).jpegsave_buffer(Q=85, keep="none")
    return made


def _street(listing: Mapping[str, Any], chance: Random) -> str:
    amenities = set(listing["amenities"])
    windows = max(2, min(5, listing["bedrooms"] + 1))
    floors = 2 if listing["floor_area_sqm"] > 160 else 1
    width, height = 150 * windows, 190 * floors
    left, top = (WIDTH - width) // 2, 610 - height
    wall, roof = chance.choice(_WALLS), chance.choice(_ROOFS)
    shapes = [
        _rect(0, 0, WIDTH, HEIGHT, "url(#sky)"),
        f'<circle cx="{chance.randint(120, 1080)}" cy="130" r="46" fill="#fff3c4"/>',
    ]
    if "view" in amenities:
        shapes.append('<path d="M0 470 240 250 430 440 690 210 980 460 1200 330V620H0z" fill="#93a9b8"/>')
    shapes.append(_rect(0, 600, WIDTH, 200, "#8fae84"))
    if "waterfront" in amenities:
        shapes.append(_rect(0, 690, WIDTH, 110, "#6f9fc0"))
    shapes += [
        _rect(left, top, width, height, wall),
        f'<path d="M{left - 40} {top} {WIDTH // 2} {top - 130} {left + width + 40} {top}z" fill="{roof}"/>',
    ]
    for floor in range(floors):
        for place in range(windows):
            x, y = left + 150 * place + 45, top + 190 * floor + 55
            is_door = floor == floors - 1 and place == windows // 2
            shapes.append(_rect(x, y, 60, 135, roof) if is_door else _rect(x, y, 64, 76, "#dcebf5", stroke="#ffffff"))
    for _ in range(3):
        x = chance.choice((chance.randint(30, max(31, left - 90)), chance.randint(min(1140, left + width + 70), 1170)))
        shapes.append(
            f'<path d="M{x} 620v-60" stroke="#6b5344" stroke-width="14"/><circle cx="{x}" cy="530" r="56" fill="#5f8a5c"/>'
        )
    sky = '<linearGradient id="sky" x2="0" y2="1"><stop stop-color="#9ec5e6"/><stop offset="1" stop-color="#eaf3f7"/></linearGradient>'
    return _svg(f"<defs>{sky}</defs>{''.join(shapes)}")


def _plan(listing: Mapping[str, Any], chance: Random) -> str:
    """Rooms side by side in two rows: those to sleep in, a bath for each that there is, and one large one."""
    rooms = (
        ["#f6efe4"] * 2
        + ["#cfe3ee"] * max(1, round(float(listing["bathrooms"])))
        + [chance.choice(_FLOORS) for _ in range(listing["bedrooms"])]
    )
    chance.shuffle(rooms)
    half = (len(rooms) + 1) // 2
    shapes = [_rect(0, 0, WIDTH, HEIGHT, "#faf9f6")]
    for row, colours in enumerate((rooms[:half], rooms[half:])):
        x = 100.0
        weights = [chance.uniform(0.7, 1.4) for _ in colours]
        for colour, weight in zip(colours, weights, strict=True):
            width = 1000 * weight / sum(weights)
            shapes.append(_rect(x, 90 + 310 * row, width, 310, colour, stroke="#55504a"))
            shapes.append(_rect(x + width / 2 - 26, 392, 52, 16, "#faf9f6"))
            x += width
    return _svg("".join(shapes))


def _rect(x: float, y: float, width: float, height: float, fill: str, *, stroke: str | None = None) -> str:
    line = f' stroke="{stroke}" stroke-width="7"' if stroke else ""
    return f'<rect x="{x:.0f}" y="{y:.0f}" width="{width:.0f}" height="{height:.0f}" fill="{fill}"{line}/>'


def _svg(content: str) -> str:
    return f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}">{content}</svg>'
