"""Operations that Resources make are audited by what they declare, and the functions that they run by their source."""

from __future__ import annotations

from pathlib import Path

from freehold.readiness import Report
from tests.readiness.looking import audit_of

SHOP = """
import time
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import ForeignKey, MetaData, String
from sqlalchemy.orm import Mapped, mapped_column

from freehold import Access, Base, Freehold, Principal, Queries, Resource, Schemas, anyone, owner, role, signed_in
from freehold.settings import Settings


class Local(Base):
    __abstract__ = True
    metadata = MetaData()


class Member(Local):
    name: Mapped[str] = mapped_column(String(80))
    role: Mapped[str] = mapped_column(String(20))
    email: Mapped[str] = mapped_column(String(80))


class Ware(Local):
    name: Mapped[str] = mapped_column(String(80))
    maker_id: Mapped[UUID] = mapped_column(ForeignKey("members.id"){index})


class MemberDraft(BaseModel):
    name: Annotated[str, Field(max_length=80)]
    role: Annotated[str, Field(max_length=20)]


class MemberRead(BaseModel):
    name: str
    email: str
    password_hash: str = ""


class Nobody:
    async def authenticate(self, authorization):
        return Principal()


async def restock(db, actor, ware):
    {pause}
    return ware


members = Resource(
    Member,
    schemas=Schemas(create=MemberDraft, read=MemberRead),
    access=Access(read={reader}, create={creator}),
)
wares = Resource(Ware, access=Access(read=anyone, create={creator}), queries=Queries(filters=["maker_id"]))
wares.action("restocking", restock, access={creator})
app = Freehold(
    members, wares, authenticator=Nobody(), migrations=None,
    settings=Settings(env="test", database_url="sqlite+aiosqlite:///shop.db", secret="s" * 40),
)
"""
BAD = {"index": "", "pause": "time.sleep(1)", "reader": "anyone", "creator": "anyone"}
GOOD = {"index": ", index=True", "pause": "pass", "reader": "role('staff')", "creator": "role('staff')"}


def _audited(folder: Path, parts: dict[str, str], **more: str) -> Report:
    text = SHOP
    for name, value in parts.items():
        text = text.replace(f"{{{name}}}", value)
    (folder / "main.py").write_text(text)
    return audit_of(folder)


def test_what_a_resource_declares_is_audited(tmp_path: Path) -> None:
    report = _audited(tmp_path, BAD)
    assert {(each.rule.id, each.subject or each.code) for each in report.findings} == {
        ("unauthenticated-write", "POST /v1/members"),
        ("unauthenticated-write", "POST /v1/wares"),
        ("unauthenticated-write", "POST /v1/wares/{id}/restocking"),
        ("personal-data-open", "GET /v1/members"),
        ("personal-data-open", "GET /v1/members/{id}"),
        ("role-from-client", "POST /v1/members"),
        ("password-in-response", "MemberRead.password_hash"),
        ("filter-unindexed", "wares.maker_id"),
        ("blocking-in-async", "time.sleep(1)"),
    }
    assert report.operations == 7


def test_the_same_done_well_is_passed(tmp_path: Path) -> None:
    report = _audited(tmp_path, GOOD)
    assert {each.rule.id for each in report.findings} == {"password-in-response"}
