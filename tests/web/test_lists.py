"""A list's question, kept and asked again: by the list's own rules, for whoever kept it."""

from __future__ import annotations

from pathlib import Path

import pytest

from freehold import Invalid, Principal, system
from freehold.store import Lists
from tests.web.shelf import ADA, BOB, Shelf, as_, make, served

pytestmark = pytest.mark.anyio


async def test_Z03_a_kept_question_finds_what_its_owner_may_read_whoever_s_session_asks(tmp_path: Path) -> None:
    app = make(f"sqlite+aiosqlite:///{tmp_path}/t.db", tmp_path)
    async with served(app) as client:
        for name in ("Oak", "Elm"):
            assert (await client.post("/v1/shelves", json={"name": name}, headers=as_("ada"))).status_code == 201
        async with app.database.writing(system("a job of the tests")) as unit:
            db, lists = unit.session, unit.session.part(Lists)

            async def found(query: str, who: Principal, *further: object) -> list[str]:
                return [
                    name
                    for _, name in await lists.rows(
                        db, Shelf, query, *further, seen_by=who, columns=[Shelf.name], limit=10
                    )
                ]

            ada, bob = Principal(id=ADA), Principal(id=BOB)
            assert await found("", ada) == ["Elm", "Oak"], "newest first"
            assert await found("name=Oak", ada) == ["Oak"]
            assert await found("", ada, Shelf.name != "Oak") == ["Elm"]
            assert await found("", bob) == await found("", Principal()) == []
            db.add(Shelf(owner_id=BOB, name="Ash"))
            assert await found("", bob) == ["Ash"], "what the session has not sent yet"
            assert lists.check(Shelf, "name=Oak&limit=5", seen_by=ada) == {"name", "limit"}
            staff = Principal(id=ADA, roles=frozenset({"staff"}))
            assert lists.check(Shelf, "note=x", seen_by=staff) == {"note"}
            for wrong in ("colour=red", "note=x", "limit=0", "name=Oak&name=Elm"):
                with pytest.raises(Invalid):
                    lists.check(Shelf, wrong, seen_by=ada)
