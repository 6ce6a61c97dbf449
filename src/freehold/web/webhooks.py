"""Webhooks, where they meet an application: its resources as receivers see them, its accounts, its document."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import orjson
from sqlalchemy.orm import DeclarativeBase

from freehold.errors import ConfigurationError, NotFound
from freehold.identity import Identity
from freehold.identity.sealing import Sealer
from freehold.jobs import Principals
from freehold.mail import Mailer
from freehold.store.database import Database
from freehold.store.outbox import Outbox
from freehold.store.session import Session
from freehold.web.mounting import Mounted
from freehold.web.reads import Reads
from freehold.webhooks import SwitchedOff, Webhooks
from freehold.webhooks.dispatcher import SEALED_FOR, Dispatcher, Tell
from freehold.webhooks.fanning import relay
from freehold.webhooks.sight import Sight

_REASONS = {
    "gone": "It answered with status 410 (Gone), which says that it wants no more of them.",
    "failing": "It has not taken any for days.",
}


def open_webhooks(
    webhooks: Webhooks,
    database: Database,
    mounted: Mounted,
    outbox: Outbox,
    *,
    secret: str,
    principals: Principals | None,
    tell: Tell,
) -> None:
    """Let domain functions emit events, and jobs send them.

    Raises ConfigurationError for an event of no resource, and for owners of whom nothing is known.
    """
    judged = webhooks.principals or principals
    if judged is None:
        raise ConfigurationError(
            "Webhooks(principals=…) has to find the caller of an id as they stand now: the accounts are not Freehold's"
        )
    for event in webhooks.events:
        if event.model not in mounted.reads:
            raise ConfigurationError(
                f"Event({event.name!r}) is about {event.model.__name__}, of which there is no Resource: what a receiver "
                "may see is what its owner may read of a resource"
            )
    sight = _sight(mounted)
    database.parts[Sight] = sight
    database.parts[Dispatcher] = Dispatcher(
        database,
        {event.name: event for event in webhooks.events},
        sight,
        Sealer(secret.encode(), purpose=SEALED_FOR),
        judged,
        webhooks.tell or tell,
        at_most=webhooks.at_most,
        overlap=webhooks.overlap,
        gives_up_after=webhooks.gives_up_after,
        kept_for=webhooks.kept_for,
    )
    for event in webhooks.events:
        outbox.subscribe(event.name, relay)


def _sight(mounted: Mounted) -> Sight:
    def reads_of(model: type[DeclarativeBase]) -> Reads:
        return mounted.reads[model]

    async def whole(db: Session, model: type[DeclarativeBase], key: Any) -> dict[str, Any]:
        found: dict[str, Any] = orjson.loads(await reads_of(model).whole(db, key))
        return found

    async def seen(db: Session, model: type[DeclarativeBase], key: str) -> frozenset[str] | None:
        reads = reads_of(model)
        try:
            shown = await reads.show(db, reads.bound.parse_key(key))
        except NotFound:
            return None
        return None if shown is None else frozenset(orjson.loads(shown.body))

    return Sight(whole, seen)


def mailing(mailer: Mailer, identity: Identity | None) -> Tell:
    """Tell the owner of an endpoint by a mail to the address of their account."""

    async def tell(db: Session, off: SwitchedOff) -> None:
        owner: Any = None if identity is None else await db.get(identity.user, off.owner_id)
        if owner is None or not owner.is_active:
            return
        await mailer.send_letter(
            db,
            "message",
            to=owner.email,
            heading="A webhook endpoint was switched off",
            text=f"Nothing more is sent to your endpoint at {urlsplit(off.url).hostname}. {_REASONS.get(off.because, '')}\n\n"
            "What was not delivered can be sent once more, when the endpoint has been switched on again.",
            link=None,
            label=None,
        )

    return tell


async def silence(_db: Session, _off: SwitchedOff) -> None:
    """Tell nobody: an application without accounts knows no addresses."""
