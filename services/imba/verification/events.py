"""What others may be told of checks."""

from __future__ import annotations

from freehold.webhooks import Event

from .models import VerificationRequest

decided = Event("verification.decided", VerificationRequest, "It was approved, rejected or revoked, or has expired.")
