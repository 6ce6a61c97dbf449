"""Nobody learns what is not theirs: Library's own seed, and the proofs that Freehold generates from it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from freehold import Principal, anyone, owner, role, signed_in
from freehold.fields import now
from freehold.testing import House, Interference, Scene, Stage, access_table, every_route_has_a_rule, non_interference
from services.library.books.models import Book
from services.library.copies.models import Copy
from services.library.fines.models import Fine, Payment
from services.library.fines.routes import fines, payments
from services.library.holds.models import Hold
from services.library.holds.routes import holds
from services.library.libraries.models import Library
from services.library.loans.models import Loan
from services.library.loans.routes import loans
from services.library.notices.models import Notice
from services.library.notices.routes import notices
from services.library.patrons import cards
from services.library.patrons.models import Patron
from services.library.rules.models import CirculationRule
from services.library.rules.terms import Terms
from services.library.service import build
from services.library.settings import LibrarySettings
from services.library.tests.conftest import core
from services.library.users.models import User

pytestmark = pytest.mark.anyio

OUT, SHELVED = UUID(int=201), UUID(int=202)
BODIES: dict[str, Any] = {
    "create_loan": {"book_id": str(SHELVED)},
    "update_loan": {"due_at": "2030-01-01T10:00:00Z"},
    "create_closed_day": {"library_id": str(UUID(int=101)), "day": "2026-02-01"},
    "create_library_closed_days": {"day": "2026-02-02"},
    "create_hold": {"book_id": str(OUT)},
    "create_patron": {"user_id": str(UUID(int=5))},
    "create_payment": {"fine_id": str(UUID(int=301)), "amount": 1},
    "create_fine_payments": {"amount": 1},
    "create_book": {"title": "Another", "author": "Somebody"},
    "create_circulation_rule": {"category": "senior"},
    "fine_waiver": {"reason": "no"},
    "copy_transfer": {"library_id": str(UUID(int=102))},
    "copy_damage": {"note": "no"},
    "patron_reading_history": {"keep": False},
}


async def seed(stage: Stage) -> Scene:
    """Two patrons, a librarian, a stranger; what the two have, wait for and owe."""
    people: dict[str, Principal] = {}
    named = {"ada": "patron", "ben": "patron", "librarian": "librarian", "stranger": "", "newcomer": ""}
    for number, (name, its_role) in enumerate(named.items(), 1):
        email = f"{name}@x.example"
        roles = [its_role] if its_role else []
        user = await stage.make(
            User, id=UUID(int=number), email=email, email_key=email, roles=roles, full_name=name.title()
        )
        people[name] = Principal(id=user.id, roles=frozenset(roles))
        if name != "newcomer":
            await stage.make(
                Patron,
                id=user.id,
                card_number=f"card-{name}",
                category="adult",
                expires_on=now().date() + timedelta(90),
            )
    ids = {name: principal.id for name, principal in people.items()}
    place = {"time_zone": "UTC", "currency": "EUR", "closed_weekdays": []}
    here = await stage.make(Library, id=UUID(int=101), name="Here", **place)
    await stage.make(Library, id=UUID(int=102), name="There", **place)
    await stage.make(CirculationRule, fine_amount=20)
    out, shelved = [
        await stage.make(Book, id=key, title=title, author="Anybody", isbn=None, isbn13=None, source_id=None)
        for key, title in ((OUT, "Out"), (SHELVED, "Shelved"))
    ]

    async def copy(book: Book, status: str) -> Copy:
        where = {"home_id": here.id, "library_id": here.id}
        return await stage.make(Copy, book_id=book.id, status=status, deleted_at=None, price_amount=900, **where)

    await copy(shelved, "available")
    owned: dict[str, list[Any]] = {}
    for number, name in enumerate(("ada", "ben")):
        lent = await copy(out, "on_loan")
        loan = await stage.make(
            Loan, copy_id=lent.id, book_id=out.id, patron_id=ids[name], library_id=here.id, item_type="book",
            loaned_at=now(), due_at=now() + timedelta(7 + number), terms=Terms().model_dump(mode="json"), loan_limit=5,
        )  # fmt: skip
        other = await stage.make(
            Book, title=f"Kept for {name}", author="Anybody", isbn=None, isbn13=None, source_id=None
        )
        kept = await copy(other, "on_hold")
        hold = await stage.make(
            Hold, book_id=other.id, patron_id=ids[name], status="ready", copy_id=kept.id, pickup_id=here.id, hold_limit=5,
            record_limit=1, pickup_days=7, ready_at=now(), expires_at=now() + timedelta(7),
        )  # fmt: skip
        money = {"patron_id": ids[name], "currency": "EUR"}
        fine = await stage.make(
            Fine, id=UUID(int=301 + number), loan_id=loan.id, kind="overdue", amount=100, balance_amount=60, **money
        )
        paid = await stage.make(Payment, fine_id=fine.id, taken_by=ids["librarian"], amount=40, method="cash", **money)
        told = await stage.make(Notice, patron_id=ids[name], kind="due_soon", once_key=f"due:{name}")
        owned[name] = [loan, hold, fine, paid, told]
    return Scene(
        callers={name: people[name] for name in ("ada", "librarian", "stranger")},
        # Who has a copy and who waits is secret; that it is out, or kept for somebody, is not.
        secrets={
            "ada": owned["ben"],
            "stranger": [*owned["ada"], *owned["ben"]],
            "nobody": [*owned["ada"], *owned["ben"]],
            "librarian": [owned["ada"][-1], owned["ben"][-1]],
        },
    )


def library(folder: Path) -> Any:
    return build(core=core(f"sqlite+aiosqlite:///{folder}/library.db", folder), own=LibrarySettings(), migrations=None)


# The others of the scene take longer, and are told no more than a patron is.
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "name", ["ada", *(pytest.param(name, marks=pytest.mark.proof) for name in ("librarian", "stranger", "nobody"))]
)
async def test_Z03_nobody_learns_what_is_not_theirs(
    name: str, sqlite_house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cards, "new", lambda: "the same everywhere")

    async def of_one(stage: Stage) -> Scene:
        scene = await seed(stage)
        return replace(scene, secrets={name: scene.secrets[name]})

    assert (await non_interference(sqlite_house.app, of_one, bodies=BODIES)).requests > 300


@pytest.mark.timeout(600)
async def test_Z01_every_operation_answers_as_declared(sqlite_house: House) -> None:
    assert len(await access_table(sqlite_house.app, seed, bodies=BODIES)) > 300


async def test_Z01_every_route_has_a_rule(sqlite_house: House) -> None:
    assert every_route_has_a_rule(sqlite_house.app)


def loosened(resource: Any, **access: Any) -> Any:
    def plant(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(resource, "access", replace(resource.access, **access))

    return plant


FAULTS = {
    "loans are shown to all": loosened(loans, read=anyone),
    "loans are shown to patrons": loosened(loans, read=loans.access.read | role("patron")),
    "the owner is turned round": loosened(loans, read=~owner("patron_id")),
    "holds are shown to those signed in": loosened(holds, read=signed_in),
    "fines are shown to patrons": loosened(fines, read=fines.access.read | role("patron")),
    "payments are shown to all": loosened(payments, read=anyone),
    "notices are shown to librarians": loosened(notices, read=notices.access.read | role("librarian")),
}


@pytest.mark.proof
@pytest.mark.timeout(240)
@pytest.mark.parametrize("name", FAULTS)
async def test_Z03_a_weakened_copy_is_caught(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    FAULTS[name](monkeypatch)
    with pytest.raises(Interference):
        await non_interference(library(tmp_path), seed, bodies=BODIES, give_up_after=1)
