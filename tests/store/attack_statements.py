"""Statements that try to reach rows of another caller: each is given a session scoped to one who owns row `mine` alone.

A reading attack gives back whatever it got hold of; a writing one does its worst and the test looks at the table
afterwards. `SECOND_WALL` names those that only the database itself can stop (row-level security, triggers).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Column,
    ForeignKey,
    MetaData,
    String,
    Table,
    Uuid,
    bindparam,
    column,
    delete,
    exists,
    func,
    insert,
    lambda_stmt,
    literal_column,
    select,
    table,
    text,
    union_all,
    update,
    values,
)
from sqlalchemy.orm import (
    Bundle,
    Mapped,
    aliased,
    contains_eager,
    joinedload,
    mapped_column,
    relationship,
    selectinload,
    subqueryload,
    with_loader_criteria,
)

from freehold import Session
from tests.bases import AttackBase as Base

SECRET = "hidden text"
OPEN = "open text"


class Attacked(Base):
    __tablename__ = "attacked_rows"
    owner_id: Mapped[UUID] = mapped_column(index=True)
    text: Mapped[str] = mapped_column(String(100))
    folder_id: Mapped[UUID | None] = mapped_column(ForeignKey("attack_folders.id"))
    folder: Mapped[AttackFolder | None] = relationship(back_populates="rows")


class AttackFolder(Base):
    """Not protected: the way round through a table that everyone may read."""

    __tablename__ = "attack_folders"
    name: Mapped[str] = mapped_column(String(100))
    rows: Mapped[list[Attacked]] = relationship(back_populates="folder")


ROWS = Attacked.__table__
FOREIGN = Table("attacked_rows", MetaData(), Column("id", Uuid, primary_key=True), Column("text", String))


@dataclass(frozen=True)
class Target:
    """Ids that the attacks know: hidden ones too, for guessing is allowed."""

    mine: UUID
    hidden: UUID
    caller: UUID
    other: UUID
    folder: UUID


Attack = Callable[[Session, Target], Awaitable[Any]]
READING: dict[str, Attack] = {}
WRITING: dict[str, Attack] = {}
SECOND_WALL = {"view by another name", "raw driver connection"}


def reads(name: str) -> Callable[[Attack], Attack]:
    return lambda attack: READING.setdefault(name, attack)


def writes(name: str) -> Callable[[Attack], Attack]:
    return lambda attack: WRITING.setdefault(name, attack)


def statement(name: str, build: Callable[[Target], Any]) -> None:
    async def attack(session: Session, target: Target) -> Any:
        return (await session.execute(build(target))).all()

    READING[name] = attack


def writing(name: str, build: Callable[[Target], Any]) -> None:
    async def attack(session: Session, target: Target) -> Any:
        await session.execute(build(target))

    WRITING[name] = attack


# Reading, entities
statement("entity", lambda t: select(Attacked))
statement("entity by guessed key", lambda t: select(Attacked).where(Attacked.id == t.hidden))
statement("column", lambda t: select(Attacked.text))
statement("bundle", lambda t: select(Bundle("b", Attacked.text, Attacked.id)))
statement("alias", lambda t: select(aliased(Attacked)))
statement(
    "two aliases joined", lambda t: select((a := aliased(Attacked)), (b := aliased(Attacked))).join(b, b.id != a.id)
)
statement("aggregate", lambda t: select(func.max(Attacked.text), func.min(Attacked.text)))
statement("group by", lambda t: select(Attacked.text, func.count()).group_by(Attacked.text))
statement("window", lambda t: select(func.first_value(Attacked.text).over(order_by=Attacked.text)))
statement("distinct", lambda t: select(Attacked.text).distinct())
statement("or true", lambda t: select(Attacked).where((Attacked.owner_id == t.caller) | text("1=1")))
statement("having", lambda t: select(func.max(Attacked.text)).having(func.count() > 0))
statement("yield per", lambda t: select(Attacked).execution_options(yield_per=1))
statement("populate existing", lambda t: select(Attacked).execution_options(populate_existing=True))
statement(
    "loader criteria of the attacker",
    lambda t: select(Attacked).options(with_loader_criteria(Attacked, lambda c: c.id.is_not(None))),
)
# Reading, Core
statement("core table", lambda t: select(ROWS))
statement("core alias", lambda t: select(ROWS.alias("x")))
statement("core column", lambda t: select(ROWS.c.text))
statement("core named with schema option", lambda t: select(ROWS.c.text).execution_options(schema_translate_map={}))
statement("cte", lambda t: select((c := select(Attacked.text).cte("c")).c.text))
statement("recursive cte", lambda t: select((c := select(Attacked.text.label("v")).cte("c", recursive=True)).c.v))
statement("union", lambda t: union_all(select(ROWS.c.text), select(ROWS.c.text)))
statement("subquery", lambda t: select(select(Attacked).subquery()))
statement("scalar subquery", lambda t: select(select(func.max(Attacked.text)).scalar_subquery()))
statement(
    "correlated",
    lambda t: select(
        AttackFolder.name,
        select(func.max(Attacked.text)).where(Attacked.folder_id == AttackFolder.id).scalar_subquery(),
    ),
)
statement(
    "lateral",
    lambda t: select(
        AttackFolder.name, (s := select(Attacked.text).where(Attacked.folder_id == AttackFolder.id).lateral("s")).c.text
    ).join(s, text("true")),
)
statement("join", lambda t: select(AttackFolder.name, Attacked.text).join(Attacked))
statement("outer join", lambda t: select(AttackFolder.name, Attacked.text).outerjoin(Attacked))
statement("full join", lambda t: select(AttackFolder.name, Attacked.text).join(Attacked, full=True))
statement(
    "implicit join", lambda t: select(AttackFolder.name, Attacked.text).where(Attacked.folder_id == AttackFolder.id)
)
statement(
    "any",
    lambda t: (
        select(AttackFolder.name)
        .where(AttackFolder.rows.any(Attacked.text == SECRET))
        .with_only_columns(literal_column(f"'{SECRET}'"))
    ),
)
statement("exists", lambda t: select(literal_column(f"'{SECRET}'")).where(exists().where(Attacked.text == SECRET)))
statement(
    "in subquery",
    lambda t: select(literal_column(f"'{SECRET}'")).where(select(Attacked.id).where(Attacked.id == t.hidden).exists()),
)
statement("for update", lambda t: select(Attacked).with_for_update())
statement("for update of", lambda t: select(Attacked).with_for_update(of=Attacked, skip_locked=True))
statement("order by alone", lambda t: select(literal_column("1")).select_from(Attacked).order_by(Attacked.text))
statement("lambda", lambda t: lambda_stmt(lambda: select(Attacked)))
statement("lambda with closure", lambda t: lambda_stmt(lambda: select(Attacked).where(Attacked.id == t.hidden)))
statement("bindparam in place of a value", lambda t: select(Attacked).where(Attacked.id == bindparam("x", t.hidden)))
# Eager and lazy loading
statement("joined load", lambda t: select(AttackFolder).options(joinedload(AttackFolder.rows)).execution_options(fh=1))
statement(
    "contains eager", lambda t: select(AttackFolder).join(AttackFolder.rows).options(contains_eager(AttackFolder.rows))
)
# Text in its many places
statement("text", lambda t: text("SELECT text FROM attacked_rows"))
statement("text, quoted", lambda t: text('SELECT text FROM "attacked_rows"'))
statement("text, upper case", lambda t: text("SELECT text FROM ATTACKED_ROWS"))
statement("text, with schema", lambda t: text("SELECT text FROM main.attacked_rows"))
statement("text, with public schema", lambda t: text("SELECT text FROM public.attacked_rows"))
statement("text, after a comment", lambda t: text("SELECT text FROM/**/attacked_rows"))
statement("text, newline", lambda t: text("SELECT text FROM\nattacked_rows\n"))
statement("text, escaped identifier", lambda t: text('SELECT text FROM U&"attacked\\005Frows"'))
statement("text as entity", lambda t: select(Attacked).from_statement(text("SELECT * FROM attacked_rows")))
statement("text columns", lambda t: text("SELECT text FROM attacked_rows").columns(column("text")))
statement("text in where", lambda t: select(literal_column("1")).where(text("EXISTS (SELECT 1 FROM attacked_rows)")))
statement("literal column", lambda t: select(literal_column("(SELECT max(text) FROM attacked_rows)")))
statement("prefix", lambda t: select(literal_column("1")).prefix_with("(SELECT max(text) FROM attacked_rows),"))
statement("suffix", lambda t: select(literal_column("'a'")).suffix_with("UNION ALL SELECT text FROM attacked_rows"))
statement(
    "custom operator", lambda t: select(literal_column("1").op("= 1 UNION ALL SELECT text FROM attacked_rows --")(1))
)
statement("table()", lambda t: select(table("attacked_rows", column("text"))))
statement("foreign metadata", lambda t: select(FOREIGN))
statement("select from text", lambda t: select(column("text")).select_from(text("attacked_rows")))
statement(
    "values joined with text",
    lambda t: (
        select(values(column("n"), name="v").data([(1,)])).join(text("attacked_rows"), text("1=1"))
        if False
        else select(column("text")).select_from(text("attacked_rows a, attack_folders f"))
    ),
)
statement(
    "template string", lambda t: text("SELECT text FROM attack_folders f JOIN attacked_rows a ON a.folder_id = f.id")
)
statement(
    "table valued", lambda t: select(column("text")).select_from(table("attacked_rows", column("text")).alias("z"))
)


@reads("get")
async def _get(session: Session, target: Target) -> Any:
    return await session.get(Attacked, target.hidden)


@reads("get, populate existing")
async def _get_again(session: Session, target: Target) -> Any:
    return await session.get(Attacked, target.hidden, populate_existing=True)


@reads("lazy load")
async def _lazy(session: Session, target: Target) -> Any:
    folder = await session.get(AttackFolder, target.folder)
    assert folder is not None
    return await session.run_sync(lambda _: list(folder.rows))


@reads("selectin load")
async def _selectin(session: Session, target: Target) -> Any:
    found = await session.scalars(select(AttackFolder).options(selectinload(AttackFolder.rows)))
    return [row for folder in found for row in folder.rows]


@reads("subquery load")
async def _subquery(session: Session, target: Target) -> Any:
    found = await session.scalars(select(AttackFolder).options(subqueryload(AttackFolder.rows)))
    return [row for folder in found for row in folder.rows]


@reads("joined load of rows")
async def _joined(session: Session, target: Target) -> Any:
    found = (await session.scalars(select(AttackFolder).options(joinedload(AttackFolder.rows)))).unique()
    return [row for folder in found for row in folder.rows]


@reads("refresh of an object made by hand")
async def _refresh(session: Session, target: Target) -> Any:
    from sqlalchemy.orm import make_transient_to_detached

    ghost = Attacked(id=target.hidden)
    make_transient_to_detached(ghost)
    session.add(ghost)
    await session.refresh(ghost)
    return ghost


@reads("expired attribute of an object made by hand")
async def _expired(session: Session, target: Target) -> Any:
    from sqlalchemy.orm import make_transient_to_detached

    ghost = Attacked(id=target.hidden)
    make_transient_to_detached(ghost)
    session.add(ghost)
    return await session.run_sync(lambda _: ghost.text)


@reads("driver SQL")
async def _driver(session: Session, target: Target) -> Any:
    connection = await session.connection()
    return (await connection.exec_driver_sql("SELECT text FROM attacked_rows")).all()


@reads("stream")
async def _stream(session: Session, target: Target) -> Any:
    return [row async for row in await session.stream_scalars(select(Attacked))]


# Writing
writing("update all", lambda t: update(Attacked).values(text="broken"))
writing("update by guessed key", lambda t: update(Attacked).where(Attacked.id == t.hidden).values(text="broken"))
writing("core update", lambda t: ROWS.update().values(text="broken"))
writing("update of an alias", lambda t: update(ROWS.alias("x")).values(text="broken"))
writing("update from", lambda t: update(Attacked).where(Attacked.folder_id == AttackFolder.id).values(text="broken"))
writing("update returning", lambda t: update(Attacked).values(text="broken").returning(Attacked.id))
writing("update to steal", lambda t: update(Attacked).values(owner_id=t.caller))
writing("update to give away", lambda t: update(Attacked).where(Attacked.id == t.mine).values(owner_id=t.other))
writing("delete all", lambda t: delete(Attacked))
writing("delete by guessed key", lambda t: delete(Attacked).where(Attacked.id == t.hidden))
writing("core delete", lambda t: ROWS.delete())
writing("insert for another", lambda t: insert(Attacked).values(owner_id=t.other, text="planted"))
writing("core insert for another", lambda t: ROWS.insert().values(owner_id=t.other, text="planted"))
writing(
    "insert from select",
    lambda t: insert(Attacked).from_select(
        ["id", "owner_id", "text", "created_at", "updated_at", "row_version"],
        select(
            Attacked.id,
            Attacked.owner_id,
            Attacked.text,
            Attacked.created_at,
            Attacked.updated_at,
            Attacked.row_version,
        ),
    ),
)
writing("cte that deletes", lambda t: select((c := delete(ROWS).returning(ROWS.c.id).cte("c")).c.id))
writing("text update", lambda t: text("UPDATE attacked_rows SET text = 'broken'"))
writing("text delete", lambda t: text("DELETE FROM attacked_rows"))


@writes("bulk insert")
async def _bulk_insert(session: Session, target: Target) -> None:
    await session.execute(insert(Attacked), [{"owner_id": target.other, "text": "planted"}])


@writes("bulk update by key")
async def _bulk_update(session: Session, target: Target) -> None:
    await session.execute(update(Attacked), [{"id": target.hidden, "text": "broken", "row_version": 1}])


@writes("legacy bulk save")
async def _bulk_save(session: Session, target: Target) -> None:
    await session.run_sync(lambda inner: inner.bulk_save_objects([Attacked(owner_id=target.other, text="planted")]))


@writes("upsert")
async def _upsert(session: Session, target: Target) -> None:
    from sqlalchemy.dialects import postgresql, sqlite

    connection = await session.connection()
    dialect: Any = sqlite if connection.dialect.name == "sqlite" else postgresql
    made = dialect.insert(Attacked).values(id=target.hidden, owner_id=target.caller, text="broken")
    await session.execute(made.on_conflict_do_update(index_elements=["id"], set_={"text": "broken"}))


@writes("new row for another")
async def _new(session: Session, target: Target) -> None:
    session.add(Attacked(owner_id=target.other, text="planted"))
    await session.flush()


@writes("own row moved to another")
async def _move(session: Session, target: Target) -> None:
    row = await session.get(Attacked, target.mine)
    assert row is not None
    row.owner_id = target.other
    await session.flush()


@writes("merge over a hidden row")
async def _merge(session: Session, target: Target) -> None:
    await session.merge(Attacked(id=target.hidden, owner_id=target.caller, text="broken"))
    await session.flush()


@writes("flush of an object made by hand")
async def _flush(session: Session, target: Target) -> None:
    from sqlalchemy.orm import make_transient_to_detached

    ghost = Attacked(id=target.hidden, owner_id=target.caller, text="x", row_version=1)
    make_transient_to_detached(ghost)
    session.add(ghost)
    ghost.text = "broken"
    await session.flush()


@writes("delete of an object made by hand")
async def _delete(session: Session, target: Target) -> None:
    from sqlalchemy.orm import make_transient_to_detached

    ghost = Attacked(id=target.hidden, owner_id=target.caller, text="x", row_version=1)
    make_transient_to_detached(ghost)
    session.add(ghost)
    await session.delete(ghost)
    await session.flush()


@writes("orphaned through the other end")
async def _orphan(session: Session, target: Target) -> None:
    folder = await session.get(AttackFolder, target.folder)
    assert folder is not None
    await session.run_sync(lambda _: folder.rows.clear())
    await session.flush()


def texts(found: Any) -> set[str]:
    """Every text that hides in what an attack gave back."""
    if isinstance(found, Attacked):
        return {found.text}
    if isinstance(found, str):
        return {found}
    if isinstance(found, AttackFolder):
        return texts(list(found.__dict__.get("rows", ())))
    if isinstance(found, Iterable):
        return {one for each in found for one in texts(each)}
    return set()
