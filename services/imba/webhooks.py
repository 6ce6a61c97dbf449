"""What others may be told of, gathered from the features."""

from __future__ import annotations

from freehold.webhooks import Webhooks

from .properties import events as of_properties
from .reservations import events as of_reservations
from .reviews import events as of_reviews
from .verification import events as of_verification

webhooks = Webhooks(
    [
        of_properties.published,
        of_properties.unlisted,
        of_reservations.requested,
        of_reservations.confirmed,
        of_reservations.rescheduled,
        *of_reservations.ENDED.values(),
        of_verification.decided,
        of_reviews.published,
    ]
)
