"""What clients send and see of a listing."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, computed_field, model_validator
from pydantic_core import PydanticCustomError

from freehold.fields import INPUT, Country, Currency, Day, Line, Prose, not_blank, now
from freehold.local_time import TimeZone
from freehold.media import content_path

from .models import Kind, PricePer, Status

LONGEST_WINDOW_DAYS = 366


def _distinct(values: list[str]) -> list[str]:
    if len(set(values)) < len(values):
        raise PydanticCustomError("repeated", "the same amenity twice")
    return values


Title = Annotated[Line, Field(min_length=1, max_length=120), AfterValidator(not_blank)]
City = Annotated[Line, Field(min_length=1, max_length=100), AfterValidator(not_blank)]
Latitude = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False, description="WGS 84, degrees")]
Longitude = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False, description="WGS 84, degrees")]
Bathrooms = Annotated[float, Field(ge=0, le=100, multiple_of=0.25, description="In quarters: 1.75")]
Area = Annotated[float, Field(gt=0, le=10_000_000, allow_inf_nan=False)]
Year = Annotated[int, Field(ge=1000, le=2200)]
# Ten thousand million units of a currency with two decimals; times 365 nights it is far inside 64 bits.
Price = Annotated[int, Field(ge=1, le=1_000_000_000_000, description="In minor units of the currency: cents")]
Amenity = Annotated[Line, Field(min_length=1, max_length=60), AfterValidator(not_blank)]
Amenities = Annotated[list[Amenity], Field(max_length=50), AfterValidator(_distinct)]


class PropertyDraft(BaseModel):
    """A new listing. It starts as a draft, which its landlord alone sees."""

    model_config = INPUT

    title: Title
    description: Annotated[Prose, Field(max_length=5000)] = ""
    kind: Kind
    city: City
    region: Annotated[Line, Field(max_length=100)] = ""
    postcode: Annotated[Line, Field(max_length=20)] = ""
    country: Country
    street: Annotated[Line, Field(max_length=200, description="For guests whose stay or visit is confirmed")] = ""
    time_zone: TimeZone = "UTC"
    latitude: Latitude | None = None
    longitude: Longitude | None = None
    bedrooms: int = Field(default=0, ge=0, le=1000)
    bathrooms: Bathrooms = 0.0
    floor_area_sqm: Area | None = None
    year_built: Year | None = None
    price_amount: Price
    price_currency: Currency
    price_per: PricePer
    amenities: Amenities = []

    @model_validator(mode="after")
    def _place(self) -> Self:
        if (self.latitude is None) != (self.longitude is None):
            raise PydanticCustomError("place", "latitude and longitude go together")
        return self


class Cover(BaseModel):
    """The photo that a list shows, in its sizes. The addresses do not expire."""

    id: UUID
    thumb: str
    card: str
    full: str


class PropertyRead(BaseModel):
    """A listing."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    landlord_id: UUID
    agent_id: UUID | None = Field(description="Who manages it for its landlord, by a mandate")
    status: Status
    title: str
    description: str
    kind: Kind
    city: str
    region: str
    postcode: str
    country: str
    street: str | None = None
    time_zone: str
    latitude: float | None
    longitude: float | None
    bedrooms: int
    bathrooms: float
    floor_area_sqm: float | None
    year_built: int | None
    price_amount: int
    price_currency: str
    price_per: PricePer
    amenities: list[str]
    rating_average: float = Field(description="Of the published reviews, 1 to 5, to two places; 0 without any")
    rating_count: int
    cover_id: UUID | None
    created_at: datetime
    updated_at: datetime

    @computed_field  # type: ignore[prop-decorator]
    @property
    def cover(self) -> Cover | None:
        """See `Cover`."""
        if self.cover_id is None:
            return None
        sizes = {size: content_path(self.cover_id, variant=size) for size in ("thumb", "card", "full")}
        return Cover(id=self.cover_id, **sizes)


class Window(BaseModel):
    """The days asked about, half-open: `to` is the first day that does not count. At most 366 of them."""

    model_config = ConfigDict(extra="forbid")

    since: Day | None = Field(default=None, alias="from", description="Today (in UTC), where absent")
    until: Day | None = Field(default=None, alias="to", description="366 days after `from`, where absent")

    @model_validator(mode="after")
    def _order(self) -> Self:
        since, until = self.days()
        if not 0 < (until - since).days <= LONGEST_WINDOW_DAYS:
            raise PydanticCustomError("window", "`to` has to be after `from`, by at most 366 days")
        return self

    def days(self) -> tuple[date, date]:
        """The window with its defaults filled in."""
        since = self.since or now().date()
        latest = min(since.toordinal() + LONGEST_WINDOW_DAYS, date.max.toordinal())
        return since, self.until or date.fromordinal(latest)


class BusyRange(BaseModel):
    """Days that are taken, half-open: one may arrive on `end`."""

    start: date
    end: date


class Availability(BaseModel):
    """When a property is taken, without telling by whom."""

    property_id: UUID
    start: date = Field(description="First day of the answer")
    end: date = Field(description="First day after it")
    busy: list[BusyRange]
