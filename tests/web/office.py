"""A service of organisations: projects that belong to one, and tasks that belong to projects."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, String, insert
from sqlalchemy.orm import Mapped, mapped_column, relationship

from freehold import (
    Access,
    Freehold,
    Identity,
    Principal,
    Queries,
    Resource,
    Roles,
    UserMixin,
    member,
    permission,
    system,
)
from freehold.identity import Cost
from freehold.identity.organisations import Organisations
from freehold.resource.base import Base as FreeholdBase
from freehold.settings import Settings
from freehold.store.memberships import MEMBERSHIPS, ORGANISATIONS
from freehold.testing import Scene, Stage
from freehold.traffic import Cache


class Base(FreeholdBase):
    __abstract__ = True
    metadata = FreeholdBase.metadata.__class__(naming_convention=FreeholdBase.metadata.naming_convention)


class Person(UserMixin, Base):
    __tablename__ = "office_people"


class Project(Base):
    __tablename__ = "office_projects"
    organisation_id: Mapped[UUID] = mapped_column(index=True)
    title: Mapped[str] = mapped_column(String(60), index=True)


class Task(Base):
    __tablename__ = "office_tasks"
    project_id: Mapped[UUID] = mapped_column(ForeignKey("office_projects.id", ondelete="CASCADE"), index=True)
    project: Mapped[Project] = relationship()
    words: Mapped[str] = mapped_column(String(60))


INSIDE = member("organisation_id")
MANAGES = member("organisation_id", role="manager")
PROJECT = Access(read=INSIDE | permission("projects:audit"), create=INSIDE, update=INSIDE, delete=MANAGES)
TASK = Access(read=member("project.organisation_id"), write=member("project.organisation_id"))
ROLES = Roles(admin=["auditor"], auditor=["projects:audit"])


class Post:
    """A mail transport that keeps what it is given."""

    def __init__(self) -> None:
        self.letters: list[Any] = []

    async def deliver(self, message: Any) -> None:
        self.letters.append(message)

    def token(self) -> str:
        """Of the link in the last letter."""
        text: str = self.letters[-1].get_body(("plain",)).get_content()
        return text.partition("token=")[2].split()[0]


def build(folder: Path, url: str, *, project: Access = PROJECT, **more: Any) -> Freehold:
    """The service on a database."""
    settings = Settings(env="test", var_dir=folder, database_url=url, secret="x" * 40, limits="off", log_level="error")
    identity = Identity(user=Person, roles=ROLES, organisations=Organisations(), cost=Cost(memory_kib=64, passes=1))
    return Freehold(
        Resource(
            Project, name="projects", access=project, cache=Cache(seconds=60),
            queries=Queries(filters=["organisation_id", "title"]),
        ),
        Resource(Task, name="tasks", access=TASK, queries=Queries(filters=["project_id"])),
        settings=settings, identity=identity, **more,
    )  # fmt: skip


async def scene(stage: Stage) -> Any:
    """Two organisations, with a project and a task each."""
    names = ("ada", "bob", "eve")
    people = {name: await stage.make(Person, email=f"{name}@x.org", email_key=f"{name}@x.org") for name in names}
    acme, other = uuid4(), uuid4()
    async with stage.database.writing(system("scene")) as unit:
        for organisation in (acme, other):
            await unit.session.execute(insert(ORGANISATIONS).values(id=organisation, name="x"))
        for organisation, who, held in ((acme, "ada", "owner"), (acme, "bob", "member"), (other, "eve", "owner")):
            values = {"organisation_id": organisation, "user_id": people[who].id, "role": held}
            await unit.session.execute(insert(MEMBERSHIPS).values(values))
    rows: dict[str, list[Any]] = {}
    for name, organisation in (("acme", acme), ("other", other)):
        project = await stage.make(Project, organisation_id=organisation, title=f"of {name}")
        rows[name] = [project, await stage.make(Task, project_id=project.id, words=f"in {name}")]
    callers = {name: Principal(id=user.id) for name, user in people.items()}
    secrets = {"ada": rows["other"], "bob": rows["other"], "eve": rows["acme"]}
    return Scene(callers={**callers, "stranger": Principal(id=uuid4())}, secrets=secrets)
