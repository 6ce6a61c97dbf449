"""Demo data: real houses, people to log in as, and a few stays. Loaded once, in one commit, never in production."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from rich.console import Console
from rich.progress import Progress
from sqlalchemy import insert

from freehold import Session, system
from freehold.errors import ConfigurationError
from freehold.fields import new_id, now
from freehold.identity import Passwords
from freehold.local_time import instant
from freehold.settings import Environment
from freehold.store import Database

from . import demo_photos, demo_social, homes
from .blocks.models import Block
from .demo_accounts import ACCOUNTS, LANDLORD, PASSWORD, SELLER, STAFF, TENANT, DemoAccount
from .homes import Home, OddRow
from .properties.models import Property
from .reservations.models import Reservation
from .settings import ImbaSettings
from .users import crud as users
from .users.models import User
from .verification.models import VerificationRequest

LISTINGS = 2_000
NIGHTLY = 200
WITH_PHOTOS = 12
BATCH = 500

Row = dict[str, Any]


async def load(database: Database, *, everything: bool = False, console: Console | None = None) -> None:
    """Load the demo, or leave what is there. everything: all the houses, not the first 2,000.

    Raises ConfigurationError in production: the accounts have a password that everyone can read.
    """
    if database.parts[ImbaSettings].env is Environment.PRODUCTION:
        raise ConfigurationError("DEMO: demo accounts have a public password; production does not load them")
    console = console or Console()
    async with database.writing(system("load the demo")) as unit:
        if await users.exists(unit.session, TENANT.email):
            return
        houses, odd = choose(None if everything else LISTINGS)
        await _fill(unit.session, houses, console)
    console.print(f"Demo data: {len(houses):,} houses, {len(ACCOUNTS)} accounts.")
    for line in report(odd):
        console.print(line)


def choose(limit: int | None) -> tuple[list[Home], list[OddRow]]:
    """The first good rows, as many as asked for, and the rows passed over on the way."""
    houses: list[Home] = []
    odd: list[OddRow] = []
    for found in homes.read(nightly=NIGHTLY):
        if isinstance(found, OddRow):
            odd.append(found)
        else:
            houses.append(found)
        if len(houses) == limit:
            break
    return houses, odd


def report(odd: Sequence[OddRow]) -> list[str]:
    """One sentence for each reason, with the lines of the file it speaks of."""
    lines: dict[str, list[int]] = defaultdict(list)
    for row in odd:
        lines[row.reason].append(row.line)
    return [
        f"Left out, {reason}: line{'s' if len(found) > 1 else ''} {', '.join(map(str, found))}"
        for reason, found in sorted(lines.items())
    ]


async def _fill(db: Session, houses: Sequence[Home], console: Console) -> None:
    people = await _people(db)
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("Loading demo data", total=len(houses))
        for start in range(0, len(houses), BATCH):
            batch = houses[start : start + BATCH]
            rows = [_listing(house, start + place, people) for place, house in enumerate(batch)]
            await db.execute(insert(Property), rows)
            await db.execute(
                insert(VerificationRequest), [_approval(row["landlord_id"], row["id"], people) for row in rows]
            )
            if start == 0:
                stays = _stays(rows, people)
                await db.execute(insert(Reservation), stays)
                await db.execute(insert(Block), [_nights(stay) for stay in stays])
                await demo_social.fill(db, rows, stays[-1], people)
                for row in rows[:WITH_PHOTOS]:
                    await demo_photos.add(db, row)
            progress.update(task, completed=start + len(batch))


async def _people(db: Session) -> dict[DemoAccount, UUID]:
    # Hashed once: to each the same password, and hashing is made to be slow.
    passwords = Passwords()
    try:
        password_hash = await passwords.hash(PASSWORD)
    finally:
        passwords.close()
    found = {}
    for account in ACCOUNTS:
        user = User(full_name=account.full_name, account=account.account, roles=list(account.roles))
        user.set_email(account.email)
        user.password_hash = password_hash
        user.email_verified_at = now()
        db.add(user)
        await db.flush()
        found[account] = user.id
    await db.execute(insert(VerificationRequest), [_approval(found[each], None, found) for each in (LANDLORD, SELLER)])
    return found


def _listing(house: Home, place: int, people: Mapping[DemoAccount, UUID]) -> Row:
    is_nightly = house.draft.price_per == "night"
    return {
        **house.draft.model_dump(),
        "id": new_id(),
        "landlord_id": people[LANDLORD if is_nightly else SELLER],
        "status": "listed",
        "listed_at": now() - timedelta(minutes=place),
        # The newest first, and in the order of the file: the houses to stay in come up at once.
        "created_at": now() - timedelta(minutes=place),
    }


def _approval(landlord_id: UUID, property_id: UUID | None, people: Mapping[DemoAccount, UUID]) -> Row:
    return {
        "landlord_id": landlord_id,
        "subject": "identity" if property_id is None else "property",
        "subject_id": property_id or landlord_id,
        "property_id": property_id,
        "document_ids": [],
        "status": "approved",
        "reviewer_id": people[STAFF],
        "decided_at": now(),
    }


def _stays(listings: Sequence[Row], people: Mapping[DemoAccount, UUID]) -> list[Row]:
    """Stays to come, of each status; and at the end one that is over."""
    ahead = [
        _stay(listing, people, in_days=7, nights=nights, status=status)
        for listing, status, nights in zip(listings, ("confirmed", "confirmed", "pending"), (3, 7, 2), strict=False)
    ]
    return [*ahead, _stay(listings[0], people, in_days=-20, nights=3, status="confirmed")]


def _stay(listing: Row, people: Mapping[DemoAccount, UUID], *, in_days: int, nights: int, status: str) -> Row:
    arrival = now().date() + timedelta(days=in_days)
    total = nights * listing["price_amount"]
    return {
        "id": new_id(),
        "kind": "stay",
        "status": status,
        "property_id": listing["id"],
        "tenant_id": people[TENANT],
        "check_in": arrival,
        "check_out": arrival + timedelta(days=nights),
        "starts_at": instant(arrival, "15:00", listing["time_zone"]),
        "ends_at": instant(arrival + timedelta(days=nights), "11:00", listing["time_zone"]),
        "time_zone": listing["time_zone"],
        "guests": 2,
        "price_lines": [{"kind": "nights", "amount": total, "nights": nights, "unit_amount": listing["price_amount"]}],
        "cancellation": [{"days_before": 1, "percent": 100}],
        "total_amount": total,
        "currency": listing["price_currency"],
        "expires_at": now() + timedelta(hours=24) if status == "pending" else None,
    }


def _nights(stay: Row) -> Row:
    return {
        "id": stay["id"],
        "kind": "stay",
        "property_id": stay["property_id"],
        "start": stay["check_in"],
        "end": stay["check_out"],
        "expires_at": stay["expires_at"],
    }
