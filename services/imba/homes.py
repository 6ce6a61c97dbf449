"""The houses of the demo: sales in King County, Washington, 2014 and 2015 (CC0), turned into listings.

The file has the dirt of real data. A row that cannot be a listing is handed back with its reason, never dropped.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from .properties.schemas import PropertyDraft

DATA = Path(__file__).parent / "data"
ROWS = 21_608
SQUARE_METRES_PER_SQUARE_FOOT = 0.09290304
# One row says 33 bedrooms in 150 square metres; the next most say 11, in houses that have the room for them.
MOST_BEDROOMS = 20
# There are only sale prices. About a 2,500th of one is what such a house costs a night there.
NIGHTS_IN_A_SALE_PRICE = 2_500


@dataclass(frozen=True, slots=True)
class Home:
    """A row that makes a listing. line: in the file, the heading being 1."""

    line: int
    draft: PropertyDraft


@dataclass(frozen=True, slots=True)
class OddRow:
    """A row that does not, and why."""

    line: int
    reason: str


def read(*, nightly: int) -> Iterator[Home | OddRow]:
    """Every row of the file, in its order. The first `nightly` good ones are priced per night, the others for sale."""
    cities = _cities()
    seen: set[str] = set()
    good = 0
    with gzip.open(DATA / "homes.csv.gz", "rt", encoding="utf-8", newline="") as file:
        for line, row in enumerate(csv.DictReader(file), start=2):
            found = _home(line, row, cities, seen, is_nightly=good < nightly)
            good += isinstance(found, Home)
            yield found


def _cities() -> dict[str, str]:
    with (DATA / "zip_codes.csv").open(encoding="utf-8", newline="") as file:
        return {code: row["city"] for row in csv.DictReader(file) for code in row["zip_codes"].split()}


def _home(
    line: int, row: Mapping[str, str], cities: Mapping[str, str], seen: set[str], *, is_nightly: bool
) -> Home | OddRow:
    if row["id"] in seen:
        return OddRow(line, "a house that stands further up: sold twice")
    seen.add(row["id"])
    reason = _oddity(row, cities)
    if reason is not None:
        return OddRow(line, reason)
    try:
        return Home(line, _draft(row, cities[row["zipcode"]], is_nightly=is_nightly))
    except (ValueError, ValidationError) as error:
        return OddRow(line, str(error).partition("\n")[0])


def _oddity(row: Mapping[str, str], cities: Mapping[str, str]) -> str | None:
    if row["zipcode"] not in cities:
        return f"unknown ZIP code {row['zipcode']}"
    if int(row["bedrooms"]) == 0:
        return "no bedroom"
    if float(row["bathrooms"]) == 0:
        return "no bathroom"
    if int(row["bedrooms"]) > MOST_BEDROOMS:
        return f"{row['bedrooms']} bedrooms in {_square_metres(row):.0f} square metres"
    return None


def _draft(row: Mapping[str, str], city: str, *, is_nightly: bool) -> PropertyDraft:
    price, bedrooms = _whole(row["price"]), int(row["bedrooms"])
    nightly_price = max(price // NIGHTS_IN_A_SALE_PRICE, 30)
    return PropertyDraft(
        title=f"{bedrooms}-bedroom house in {city}, built {row['yr_built']}",
        description=_description(row, price),
        kind="house",
        city=city,
        region="Washington",
        postcode=row["zipcode"],
        country="US",
        time_zone="America/Los_Angeles",
        latitude=float(row["lat"]),
        longitude=float(row["long"]),
        bedrooms=bedrooms,
        bathrooms=float(row["bathrooms"]),
        floor_area_sqm=round(_square_metres(row), 1),
        year_built=int(row["yr_built"]),
        price_amount=(nightly_price if is_nightly else price) * 100,
        price_currency="USD",
        price_per="night" if is_nightly else "sale",
        amenities=_amenities(row),
    )


def _whole(text: str) -> int:
    """A whole number, also where a spreadsheet has written 1.05e+006. Raises ValueError for a fraction."""
    number = float(text)
    if not number.is_integer():
        raise ValueError(f"{text} is no whole number")
    return int(number)


def _square_metres(row: Mapping[str, str]) -> float:
    return int(row["sqft_living"]) * SQUARE_METRES_PER_SQUARE_FOOT


def _description(row: Mapping[str, str], price: int) -> str:
    renovated = f", renovated in {row['yr_renovated']}" if row["yr_renovated"] != "0" else ""
    day = f"{row['date'][:4]}-{row['date'][4:6]}-{row['date'][6:8]}"
    return (
        f"{_square_metres(row):.0f} square metres, bathrooms: {row['bathrooms']}, "
        f"built in {row['yr_built']}{renovated}. Sold on {day} for USD {price:,}."
    )


def _amenities(row: Mapping[str, str]) -> list[str]:
    has = {
        "waterfront": row["waterfront"] == "1",
        "view": int(row["view"]) >= 3,
        "basement": int(row["sqft_basement"]) > 0,
        "renovated": row["yr_renovated"] != "0",
    }
    return [name for name, present in has.items() if present]
