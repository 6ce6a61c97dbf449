"""What others may be told of reviews."""

from __future__ import annotations

from freehold.webhooks import Event

from .models import Review

published = Event("review.published", Review, "Both sides have written, or the time for it is over.")
