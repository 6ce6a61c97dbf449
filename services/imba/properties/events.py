"""What others may be told of listings."""

from __future__ import annotations

from freehold.webhooks import Event

from .models import Property

published = Event("property.published", Property, "The listing is on the market.")
unlisted = Event("property.unlisted", Property, "The listing is off the market.")
