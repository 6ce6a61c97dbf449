"""Webhooks: others are told what has happened here, and what they tell us is taken once.

Here belong the declaration of events, signatures, the sending of what is owed, and how senders are checked. When an
event happens is the matter of the feature that declares it; the path operations are in `web`.
"""

from freehold.webhooks.declaration import Webhooks
from freehold.webhooks.dispatcher import SwitchedOff
from freehold.webhooks.endpoints import erase, held_about
from freehold.webhooks.events import Event
from freehold.webhooks.receiving import Received
from freehold.webhooks.senders import HmacHeader, NotGenuine, Sender, StandardWebhooks, Stripe, github, id_in_body
from freehold.webhooks.tables import WebhookDelivery, WebhookEndpoint

__all__ = [
    "Event",
    "HmacHeader",
    "NotGenuine",
    "Received",
    "Sender",
    "StandardWebhooks",
    "Stripe",
    "SwitchedOff",
    "WebhookDelivery",
    "WebhookEndpoint",
    "Webhooks",
    "erase",
    "github",
    "held_about",
    "id_in_body",
]
