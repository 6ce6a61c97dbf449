"""Organisations: their routes, and `member(…)` in the rule of every statement."""

from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from freehold import Access, Forbidden, Freehold, Principal, member, role, system
from freehold.errors import ConfigurationError
from freehold.identity.organisations import INVITATIONS, groups
from freehold.resource import clock
from freehold.store.audit import AUDIT
from freehold.store.memberships import MEMBERSHIPS
from freehold.testing import House, Person, Stage, access_table, every_route_has_a_rule
from tests.web.office import Person as User
from tests.web.office import Post, Project, build, scene

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def app(module_database: str, tmp_path_factory: pytest.TempPathFactory) -> Freehold:
    return build(tmp_path_factory.mktemp("office"), module_database, mail=Post())


@pytest.fixture
async def stage(real_stage: Stage) -> Stage:
    real_stage.app.mailer.transport.letters.clear()  # type: ignore[attr-defined]
    return real_stage


async def somebody(stage: Stage, name: str, *roles: str) -> Person:
    """A person with an account and a client."""
    email = f"{name}@example.com"
    user = await stage.make(User, email=email, email_key=email, full_name=name.title(), roles=list(roles))
    return Person(stage.as_user(user, authenticated_at=clock.now()), id=str(user.id), email=email)


async def founded(who: Person, name: str = "Acme") -> str:
    return str((await who.made("/v1/organisations", {"name": name}))["id"])


async def posted(stage: Stage) -> Post:
    """The letters, once what is owed has left."""
    await stage.app.jobs.run_pending()
    found: Post = stage.app.mailer.transport  # type: ignore[assignment]
    return found


async def joined(stage: Stage, manager: Person, organisation: str, who: Person, role: str = "member") -> None:
    invited = await manager.post(f"/v1/organisations/{organisation}/invitations", {"email": who.email, "role": role})
    assert invited.status == 201, invited.text
    accepted = await who.post("/v1/invitations/confirmation", {"token": (await posted(stage)).token()})
    assert (accepted.status, accepted.json) == (200, {"organisation_id": organisation})


async def waiting(stage: Stage) -> list[str]:
    """The addresses of all invitations that are kept."""
    async with stage.database.reading(system("test")) as session:
        return list(await session.scalars(select(INVITATIONS.c.email)))


async def roles_of(stage: Stage, organisation: str) -> dict[str, str]:
    async with stage.database.reading(system("test")) as session:
        rows = await session.execute(select(MEMBERSHIPS).where(MEMBERSHIPS.c.organisation_id == UUID(organisation)))
        return {str(row.user_id): row.role for row in rows}


class TestRoutes:
    async def test_whoever_founds_one_owns_it_and_nobody_else_learns_of_it(self, stage: Stage) -> None:
        ada, eve = await somebody(stage, "ada"), await somebody(stage, "eve")
        made = await ada.post("/v1/organisations", {"name": "Acme"})
        assert (made.status, made.json["role"]) == (201, "owner")
        path = made.headers["location"]
        assert (await ada.get(path)).json == {"id": made.json["id"], "name": "Acme", "role": "owner"}
        assert [each["name"] for each in (await ada.get("/v1/organisations")).json["items"]] == ["Acme"]
        assert (await eve.get("/v1/organisations")).json["items"] == []
        never = f"/v1/organisations/{uuid4()}"
        for method, below, body in (
            ("GET", "", None), ("PATCH", "", {"name": "Mine"}), ("DELETE", "", None), ("GET", "/members", None),
            ("PUT", f"/members/{ada.id}", {"role": "member"}), ("DELETE", f"/members/{ada.id}", None),
            ("GET", "/invitations", None), ("POST", "/invitations", {"email": eve.email, "role": "owner"}),
            ("DELETE", f"/invitations/{uuid4()}", None),
        ):  # fmt: skip
            asked = [await eve.call(method, each + below, body, X_Request_ID="same") for each in (path, never)]
            assert [each.status for each in asked] == [404, 404], (method, below)
            assert asked[0].json["code"] == asked[1].json["code"]
        assert (await Person(stage.client()).get("/v1/organisations")).status == 401

    async def test_an_invitation_is_for_its_address_and_works_once(self, stage: Stage) -> None:
        ada, bob, eve = [await somebody(stage, name) for name in ("ada", "bob", "eve")]
        acme = await founded(ada)
        path = f"/v1/organisations/{acme}/invitations"
        assert (await ada.post(path, {"email": bob.email, "role": "member"})).status == 201
        first = (await posted(stage)).token()
        assert (await ada.post(path, {"email": bob.email.upper(), "role": "manager"})).status == 201
        letters = await posted(stage)
        second = letters.token()
        assert "Acme" in str(letters.letters[-1]["subject"])
        waiting = await ada.get(path)
        assert [each["role"] for each in waiting.json["items"]] == ["manager"]
        assert waiting.headers["cache-control"] == "private, no-store", "addresses are in it"
        people = await ada.get(f"/v1/organisations/{acme}/members")
        assert people.headers["cache-control"] == "private, no-store"
        say = "/v1/invitations/confirmation"
        assert (await bob.post(say, {"token": first})).code == "identity.token_invalid", "the newer one replaced it"
        assert (await eve.post(say, {"token": second})).status == 403
        assert (await bob.post(say, {"token": second})).status == 200
        assert (await bob.post(say, {"token": second})).status == 422, "used"
        assert (await roles_of(stage, acme))[bob.id] == "manager"
        assert (await ada.post(path, {"email": bob.email, "role": "member"})).code == "organisation.already_member"
        verified = (await bob.get("/v1/users/me")).json["email_verified_at"]
        assert verified is not None, "the link came by that address"

    async def test_an_invitation_ends_and_can_be_taken_back(self, stage: Stage) -> None:
        ada, bob = await somebody(stage, "ada"), await somebody(stage, "bob")
        acme = await founded(ada)
        path = f"/v1/organisations/{acme}/invitations"
        made = await ada.post(path, {"email": bob.email, "role": "member"})
        token = (await posted(stage)).token()
        assert (await ada.client.delete(made.headers["location"])).status_code == 204
        assert (await bob.post("/v1/invitations/confirmation", {"token": token})).status == 422
        await ada.post(path, {"email": bob.email, "role": "member"})
        token = (await posted(stage)).token()
        now = clock.now()
        async with stage.database.writing(system("test")) as unit:
            await unit.session.execute(INVITATIONS.update().values(expires_at=now))
        assert (await bob.post("/v1/invitations/confirmation", {"token": token})).status == 422
        assert (await ada.get(path)).json["items"] == []
        async with stage.database.writing(system("test")) as unit:
            await stage.app.identity._upkeep(unit.session)  # type: ignore[union-attr]
        assert await waiting(stage) == []

    async def test_whoever_leaves_leaves_no_invitation_behind(self, stage: Stage) -> None:
        ada, bob, eve = [await somebody(stage, name) for name in ("ada", "bob", "eve")]
        path = f"/v1/organisations/{await founded(ada)}/invitations"
        for each in (bob, eve):
            assert (await ada.post(path, {"email": each.email, "role": "member"})).status == 201
        async with stage.database.writing(system("test")) as unit:
            await stage.app.identity.parts.personal_data.erase(unit.session, UUID(bob.id))  # type: ignore[union-attr]
        assert await waiting(stage) == [eve.email]

    async def test_nobody_comes_in_by_whoever_may_not_invite_any_more(self, stage: Stage) -> None:
        ada, mia, bob = [await somebody(stage, name) for name in ("ada", "mia", "bob")]
        acme = await founded(ada)
        await joined(stage, ada, acme, mia, "manager")
        path = f"/v1/organisations/{acme}"
        assert (await mia.post(f"{path}/invitations", {"email": bob.email, "role": "manager"})).status == 201
        token = (await posted(stage)).token()
        assert (await ada.call("DELETE", f"{path}/members/{mia.id}")).status == 204
        assert (await bob.post("/v1/invitations/confirmation", {"token": token})).status == 422
        assert await roles_of(stage, acme) == {ada.id: "owner"}

    async def test_roles_are_given_and_taken_by_rank(self, stage: Stage) -> None:
        ada, mia, bob = [await somebody(stage, name) for name in ("ada", "mia", "bob")]
        acme = await founded(ada)
        await joined(stage, ada, acme, mia, "manager")
        await joined(stage, mia, acme, bob)
        path = f"/v1/organisations/{acme}"
        assert (await bob.post(path + "/invitations", {"email": "x@example.com", "role": "member"})).status == 403
        assert (await bob.get(path + "/invitations")).status == 403
        assert (await bob.patch(path, {"name": "Bob's"})).status == 403
        assert (await bob.put(f"{path}/members/{bob.id}", {"role": "manager"})).status == 403
        assert (await mia.put(f"{path}/members/{mia.id}", {"role": "owner"})).status == 403
        assert (await mia.put(f"{path}/members/{ada.id}", {"role": "member"})).status == 403
        assert (await mia.call("DELETE", f"{path}/members/{ada.id}")).status == 403
        assert (await mia.post(path + "/invitations", {"email": "x@example.com", "role": "owner"})).status == 403
        assert (await mia.call("DELETE", path)).status == 403
        assert (await mia.put(f"{path}/members/{bob.id}", {"role": "captain"})).pointers == ["/role"]
        assert (await mia.put(f"{path}/members/{bob.id}", {"role": "manager"})).status == 204
        assert (await mia.patch(path, {"name": "Acme & Co"})).json["name"] == "Acme & Co"
        seen = {each["user_id"]: each["email"] for each in (await bob.get(path + "/members")).json["items"]}
        assert seen == {each.id: each.email for each in (ada, mia, bob)}
        assert (await ada.put(f"{path}/members/{bob.id}", {"role": "member"})).status == 204
        assert {each["email"] for each in (await bob.get(path + "/members")).json["items"]} == {None}
        assert (await mia.call("DELETE", f"{path}/members/{bob.id}")).status == 204
        assert (await bob.get(path)).status == 404

    async def test_an_organisation_keeps_an_owner_also_when_two_leave_at_once(self, stage: Stage) -> None:
        ada, bob = await somebody(stage, "ada"), await somebody(stage, "bob")
        acme = await founded(ada)
        path = f"/v1/organisations/{acme}/members"
        assert (await ada.call("DELETE", f"{path}/{ada.id}")).code == "organisation.last_owner"
        await joined(stage, ada, acme, bob, "owner")
        left = await asyncio.gather(*(who.call("DELETE", f"{path}/{who.id}") for who in (ada, bob)))
        assert sorted(each.status for each in left) == [204, 409]
        assert list((await roles_of(stage, acme)).values()) == ["owner"]
        stays = ada if ada.id in await roles_of(stage, acme) else bob
        assert (await stays.put(f"{path}/{stays.id}", {"role": "member"})).code == "organisation.last_owner"

    async def test_twenty_uses_of_one_invitation_at_once_make_one_member(self, stage: Stage) -> None:
        ada, bob = await somebody(stage, "ada"), await somebody(stage, "bob")
        acme = await founded(ada)
        await ada.post(f"/v1/organisations/{acme}/invitations", {"email": bob.email, "role": "member"})
        token = (await posted(stage)).token()
        used = await asyncio.gather(*(bob.post("/v1/invitations/confirmation", {"token": token}) for _ in range(20)))
        assert sorted(each.status for each in used) == [200] + [422] * 19

    async def test_an_organisation_that_closes_while_an_invitation_is_used_takes_nobody_in(self, stage: Stage) -> None:
        ada, bob = await somebody(stage, "ada"), await somebody(stage, "bob")
        acme = await founded(ada)
        await ada.post(f"/v1/organisations/{acme}/invitations", {"email": bob.email, "role": "member"})
        token = (await posted(stage)).token()
        async with stage.database.writing(system("test")) as unit:
            await groups.lock(unit.session, UUID(acme))
            using = asyncio.create_task(bob.post("/v1/invitations/confirmation", {"token": token}))
            await asyncio.sleep(0.3)
            await groups.close(unit.session, UUID(acme))
        assert (await using).code == "identity.token_invalid"
        assert await roles_of(stage, acme) == {}

    async def test_whoever_erases_their_account_leaves_and_closes_what_was_theirs_alone(self, stage: Stage) -> None:
        ada, bob = await somebody(stage, "ada"), await somebody(stage, "bob")
        alone, shared = await founded(ada, "Alone"), await founded(ada, "Shared")
        await joined(stage, ada, shared, bob)
        named = (await ada.get("/v1/users/me/export")).json["organisations"]
        assert [each["name"] for each in named] == ["Alone", "Shared"]
        assert (await ada.call("DELETE", "/v1/users/me")).code == "organisation.last_owner"
        assert (await ada.put(f"/v1/organisations/{shared}/members/{bob.id}", {"role": "owner"})).status == 204
        assert (await ada.call("DELETE", "/v1/users/me")).status == 204
        assert await roles_of(stage, alone) == {}
        assert await roles_of(stage, shared) == {bob.id: "owner"}

    async def test_E05_what_is_done_is_on_record(self, stage: Stage) -> None:
        ada, bob = await somebody(stage, "ada"), await somebody(stage, "bob")
        acme = await founded(ada)
        await joined(stage, ada, acme, bob)
        await ada.put(f"/v1/organisations/{acme}/members/{bob.id}", {"role": "manager"})
        await ada.call("DELETE", f"/v1/organisations/{acme}/members/{bob.id}")
        await ada.call("DELETE", f"/v1/organisations/{acme}")
        async with stage.database.reading(system("test")) as session:
            rows = (await session.execute(select(AUDIT).where(AUDIT.c.subject_id == acme).order_by(AUDIT.c.id))).all()
        assert [row.action.partition(".")[2] for row in rows] == [
            "founded", "invited", "joined", "role_set", "member_removed", "closed"
        ]  # fmt: skip
        assert {str(row.principal_id) for row in rows} == {ada.id, bob.id}
        assert all("@" not in f"{row.before}{row.after}{row.details}" for row in rows), (
            "no address is on record for good"
        )


class TestRule:
    async def test_Z02_Z03_rows_of_an_organisation_are_its_members_alone(self, stage: Stage) -> None:
        ada, bob, eve = [await somebody(stage, name) for name in ("ada", "bob", "eve")]
        acme, other = await founded(ada, "Acme"), await founded(eve, "Other")
        await joined(stage, ada, acme, bob)
        made = await ada.post("/v1/projects", {"organisation_id": acme, "title": "bridge"})
        path = made.headers["location"]
        task = (await bob.post("/v1/tasks", {"project_id": made.json["id"], "words": "pour"})).headers["location"]
        await eve.post("/v1/projects", {"organisation_id": other, "title": "tunnel"})
        for who, titles in ((ada, ["bridge"]), (bob, ["bridge"]), (eve, ["tunnel"])):
            page = (await who.get("/v1/projects?count=true")).json
            assert ([each["title"] for each in page["items"]], page["total"]) == (titles, 1)
        assert (await eve.get(f"/v1/projects?organisation_id={acme}")).json["items"] == []
        for method, body in (("GET", None), ("PATCH", {"title": "mine"}), ("DELETE", None)):
            assert (await eve.call(method, path, body)).status == 404, method
            assert (await eve.call(method, task, {"words": "x"} if body else None)).status == 404, method
        assert (await Person(stage.client()).get("/v1/projects")).status == 401
        assert (await bob.patch(path, {"title": "pier"})).status == 200
        assert (await bob.call("DELETE", path)).status == 403, "for managers"
        assert (await ada.call("DELETE", path)).status == 204

    async def test_Z09_a_row_is_not_made_in_or_moved_to_where_one_is_no_member(self, stage: Stage) -> None:
        ada, eve = await somebody(stage, "ada"), await somebody(stage, "eve")
        acme, annex, other = await founded(ada), await founded(ada, "Annex"), await founded(eve, "Other")
        for elsewhere in (other, str(uuid4())):
            assert (await ada.post("/v1/projects", {"organisation_id": elsewhere, "title": "x"})).status == 403
        made = await ada.post("/v1/projects", {"organisation_id": acme, "title": "bridge"})
        path = made.headers["location"]
        for elsewhere in (other, str(uuid4())):
            assert (await ada.patch(path, {"organisation_id": elsewhere})).status == 403
        theirs = await eve.post("/v1/projects", {"organisation_id": other, "title": "tunnel"})
        task = await ada.post("/v1/tasks", {"project_id": made.json["id"], "words": "pour"})
        moved = await ada.patch(task.headers["location"], {"project_id": theirs.json["id"]})
        assert moved.status in (403, 422)
        assert (await ada.post("/v1/tasks", {"project_id": theirs.json["id"], "words": "x"})).status in (403, 422)
        assert (await ada.patch(path, {"organisation_id": annex})).status == 200, "from one of one's own to another"
        assert (await eve.get("/v1/projects")).json["items"] == [theirs.json]

    async def test_a_membership_that_ends_is_gone_at_once_also_from_kept_answers(self, stage: Stage) -> None:
        ada, bob = await somebody(stage, "ada"), await somebody(stage, "bob")
        acme = await founded(ada)
        await joined(stage, ada, acme, bob)
        await ada.post("/v1/projects", {"organisation_id": acme, "title": "bridge"})
        for _ in range(2):
            assert len((await bob.get("/v1/projects")).json["items"]) == 1
        await ada.call("DELETE", f"/v1/organisations/{acme}/members/{bob.id}")
        assert (await bob.get("/v1/projects")).json["items"] == []
        await ada.call("DELETE", f"/v1/organisations/{acme}")
        assert (await ada.get("/v1/projects")).json["items"] == []

    async def test_every_statement_of_a_session_carries_it(self, stage: Stage) -> None:
        ada, eve = await somebody(stage, "ada"), await somebody(stage, "eve")
        acme, other = await founded(ada), await founded(eve, "Other")
        await ada.post("/v1/projects", {"organisation_id": acme, "title": "bridge"})
        caller = Principal(id=UUID(eve.id))
        async with stage.database.writing(caller) as unit:
            assert (await unit.session.scalars(select(Project))).all() == []
            assert (await unit.session.execute(Project.__table__.update().values(title="x"))).rowcount == 0
            assert (await unit.session.execute(Project.__table__.delete())).rowcount == 0
        for organisation in (acme, str(uuid4())):
            with pytest.raises((Forbidden, IntegrityError)):  # on SQLite its trigger is asked first
                async with stage.database.writing(caller) as unit:
                    unit.session.add(Project(organisation_id=UUID(organisation), title="planted"))
        async with stage.database.writing(caller) as unit:
            unit.session.add(Project(organisation_id=UUID(other), title="mine"))

    async def test_a_permission_opens_what_membership_would_not(self, stage: Stage) -> None:
        ada, olga = await somebody(stage, "ada"), await somebody(stage, "olga", "admin")
        acme = await founded(ada)
        made = await ada.post("/v1/projects", {"organisation_id": acme, "title": "bridge"})
        assert (await olga.get(made.headers["location"])).status == 200, "an admin is an auditor, who may audit"
        assert (await olga.patch(made.headers["location"], {"title": "x"})).status == 403


async def test_Z01_the_table_of_every_operation_and_caller_holds(house: House) -> None:
    every_route_has_a_rule(house.app)
    assert len(await access_table(house.app, scene)) > 50


async def test_T15_a_rule_that_asks_for_what_nobody_can_have_stops_the_start(tmp_path: Path) -> None:
    wrong = Access(read=role("audittor") | member("organisation_id"))
    with pytest.raises(ConfigurationError, match=r"projects: role\('audittor'\)"):
        build(tmp_path, f"sqlite+aiosqlite:///{tmp_path}/x.db", project=wrong)
    with pytest.raises(ConfigurationError, match="no column 'team_id'"):
        build(tmp_path, f"sqlite+aiosqlite:///{tmp_path}/x.db", project=Access(read=member("team_id")))
