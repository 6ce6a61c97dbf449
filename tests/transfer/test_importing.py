"""Rows of a file into a resource: judged as if they were sent, counted, reported, resumed, never doubled."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from tests.transfer.store import Item, Order, item_of
from tests.web.shelf import ADA

from freehold import Forbidden, Freehold, Principal, Resource, system
from freehold.errors import ConfigurationError
from freehold.settings import Settings
from freehold.store import AUDIT
from freehold.store.outbox import OUTBOX, Event
from freehold.store.session import Session
from freehold.testing import Stage
from freehold.transfer import Report, Stopped, Unreadable, import_file, importing, journal
from freehold.transfer.files import source_at, target_named
from freehold.transfer.rejects import write_rejects

pytestmark = pytest.mark.anyio
SYSTEM = system("an import of the tests")
STAFF = Principal(id=ADA, roles=frozenset({"staff"}))


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "CHUNK", 3)


async def take(stage: Stage, path: Path, text: str | bytes, *, name: str = "items.csv", **options: Any) -> Report:
    file = path / name
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    given = {"principal": SYSTEM, **options}
    return await import_file(stage.database, given.pop("resource", "items"), file, **given)


async def said(stage: Stage, report: Report) -> list[tuple[int, str, str]]:
    async with stage.database.reading(SYSTEM) as session:
        return [(each.line, each.column, each.message) for each in await journal.remarks(session, report.import_id)]


async def items(stage: Stage) -> dict[str, Item]:
    async with stage.database.reading(SYSTEM) as session:
        return {row.sku: row for row in await session.scalars(select(Item))}


def counts(report: Report) -> dict[str, int]:
    return {name: value for name, value in asdict(report).items() if type(value) is int and value}


async def ignore(_: Session, __: Event) -> None: ...


async def test_rows_are_created_changed_left_and_refused_and_each_reason_is_told(both: Stage, tmp_path: Path) -> None:
    for event in ("items.created", "items.updated"):
        both.app.outbox.subscribe(event, ignore)
    text = 'sku,title,pieces,tags,weight\na,Äpfel,3,"[1, ""x""]",1.5\nb,,-1,,\nc,Pear,,,heavy\nd,Plum,x\ne,Fig,5,,\n'
    first = await take(both, tmp_path, text)
    assert counts(first) == {"records": 5, "created": 2, "refused": 3}
    assert await said(both, first) == [
        (3, "title", "Field required"),
        (3, "pieces", "Input should be greater than or equal to 0"),
        (4, "weight", "Input should be a valid number"),
        (5, "", "has 3 cells, where the first line has 5"),
    ]
    made = await items(both)
    assert (made["a"].title_key, made["a"].tags, made["a"].weight, made["e"].pieces) == ("apfel", [1, "x"], 1.5, 5)
    again = await take(both, tmp_path, "sku,title,pieces\na,Äpfel,3\ne,Fig,6\ne,Fig,7\n")
    assert counts(again) == {"records": 3, "updated": 2, "unchanged": 1}
    made = await items(both)
    assert (made["e"].pieces, made["e"].row_version, made["a"].row_version) == (7, 3, 1)
    async with both.client(STAFF) as client:
        found = await client.get("/v1/items?q=apfel", headers={"Authorization": "Bearer staff"})
    assert [each["sku"] for each in found.json()["items"]] == ["a"], "the search index holds"
    async with both.database.reading(SYSTEM) as session:
        told = await session.execute(
            select(AUDIT.c.action, func.count()).group_by(AUDIT.c.action).order_by(AUDIT.c.action)
        )
        assert told.all() == [("items.created", 2), ("items.updated", 1)], "one record for each row of a commit"
        events = await session.scalar(select(func.count()).select_from(OUTBOX).where(OUTBOX.c.type.like("items.%")))
        assert events == 3


async def test_an_import_that_was_broken_off_goes_on_where_it_was(stage: Stage, tmp_path: Path) -> None:
    text = "sku,title\n" + "".join(f"s{number},Thing {number}\n" for number in range(10))
    seen: list[int] = []

    class Killed(Exception):
        pass

    def die(done: int, total: int | None) -> None:
        seen.append(done)
        assert total == 10
        if done == 6:
            raise Killed

    with pytest.raises(Killed):
        await take(stage, tmp_path, text, key=(), progress=die)
    assert len(await items(stage)) == 6
    whole = await take(stage, tmp_path, text, key=(), progress=die)
    assert (seen, counts(whole)) == ([3, 6, 9, 10], {"records": 10, "created": 10})
    assert sorted(await items(stage)) == sorted(f"s{number}" for number in range(10))


async def test_a_file_without_a_key_is_imported_once(stage: Stage, tmp_path: Path) -> None:
    # The declaration names a key; this resource has none.
    text = "label\none\ntwo\n"
    first = await take(stage, tmp_path, text, resource="orders", principal=Principal(id=ADA))
    again = await take(stage, tmp_path, text, resource="orders", principal=Principal(id=ADA))
    assert (first.was_done, again.was_done, again.import_id) == (False, True, first.import_id)
    third = await take(stage, tmp_path, text, resource="orders", principal=Principal(id=ADA), again=True)
    assert (third.was_done, third.created) == (False, 2)
    async with stage.database.reading(SYSTEM) as session:
        assert set(await session.scalars(select(Order.buyer_id))) == {ADA}
        assert await session.scalar(select(func.count()).select_from(Order)) == 4


async def test_a_row_that_the_database_refuses_takes_no_other_with_it(both: Stage, tmp_path: Path) -> None:
    await take(both, tmp_path, "sku,title\nb,There\n")
    text = "sku,title\na,One\nb,Two\nc,Three\nd,Four\n"
    report = await take(both, tmp_path, text, key=())
    assert counts(report) == {"records": 4, "created": 3, "refused": 1}
    assert [(line, column) for line, column, _ in await said(both, report)] == [(3, "")]
    assert (await items(both))["b"].title == "There"


async def test_a_dry_run_tells_the_same_and_writes_nothing(stage: Stage, tmp_path: Path) -> None:
    await take(stage, tmp_path, "sku,title\na,Old\n")
    text = "sku,title\na,New\nb,\nc,Next\n"
    for _ in range(2):
        dry = await take(stage, tmp_path, text, is_dry=True)
        assert (dry.is_dry, counts(dry)) == (True, {"records": 3, "created": 1, "updated": 1, "refused": 1})
    assert await said(stage, dry) == [(3, "title", "Field required")]
    assert {sku: row.title for sku, row in (await items(stage)).items()} == {"a": "Old"}
    real = await take(stage, tmp_path, text)
    assert counts(real) == {"records": 3, "created": 1, "updated": 1, "refused": 1}


async def test_an_import_stops_where_it_was_told_to(stage: Stage, tmp_path: Path) -> None:
    text = "sku,title\na,A\nb,B\nc,C\nd,\n"
    with pytest.raises(Stopped) as stopped:
        await take(stage, tmp_path, text, stops=True)
    assert [record.line for record in stopped.value.records] == [5]
    assert sorted(await items(stage)) == ["a", "b", "c"], "the chunk before is there"


async def test_Z04_a_caller_s_import_is_under_the_caller_s_rules(stage: Stage, tmp_path: Path) -> None:
    await take(stage, tmp_path, "sku,title\na,A\n")
    with pytest.raises(Forbidden):
        await take(stage, tmp_path, "sku,title\nb,B\n", principal=Principal(id=ADA))
    report = await take(stage, tmp_path, "sku,title,is_sold\nb,B,true\n", principal=STAFF)
    assert counts(report) == {"records": 1, "created": 1, "noted": 1}
    assert await said(stage, report) == [(2, "is_sold", "is passed over: it is shown, and not set by an import")]
    assert not (await items(stage))["b"].is_sold
    bad = await take(
        stage, tmp_path, f'{{"label": "x", "buyer_id": "{ADA}"}}', name="o.jsonl", resource="orders", principal=STAFF
    )
    assert counts(bad) == {"records": 1, "created": 1, "noted": 1}


async def test_a_cleaning_function_refuses_notes_and_passes_over(stage: Stage, tmp_path: Path) -> None:
    text = "No,Name,Pieces\n a ,Apple,3\nb,,many\nc,(gone),\n,Nameless,1\n"
    report = await take(stage, tmp_path, text, clean=item_of)
    assert counts(report) == {"records": 4, "created": 2, "refused": 1, "passed_over": 1, "noted": 1}
    assert await said(stage, report) == [
        (2, "No", "spaces around it were dropped"), (3, "Name", "is missing"), (3, "Pieces", "is no number"),
    ]  # fmt: skip
    async with stage.database.reading(SYSTEM) as session:
        (most,) = [each for each in await journal.reasons(session, report.import_id) if not each.is_refusal]
        assert (most.column, most.count, most.first_line) == ("No", 1, 2)
    other = await take(stage, tmp_path, "Nr,Name\n1,x\n", clean=item_of)
    assert (await said(stage, other))[0][2] == "the cleaning function fails on it (KeyError)"


async def test_columns_are_mapped_and_those_that_nobody_wants_are_named(stage: Stage, tmp_path: Path) -> None:
    text = "Number,Title,Colour\na,Apple,red\n"
    with pytest.raises(Unreadable, match="'Colour': no field of items has this name"):
        await take(stage, tmp_path, text, columns={"sku": "Number", "title": "Title"})
    with pytest.raises(Unreadable, match="no column 'Nr'"):
        await take(stage, tmp_path, text, columns={"sku": "Nr"})
    report = await take(stage, tmp_path, text, columns={"sku": "Number", "title": "Title"}, ignore_others=True)
    assert counts(report) == {"records": 1, "created": 1}
    bad = await take(stage, tmp_path, "Number,Title\nb,\n", columns={"sku": "Number", "title": "Title"})
    assert await said(stage, bad) == [(2, "Title", "Field required")], "under the name that the file has for it"


async def test_json_lines_and_rows_known_by_their_id(stage: Stage, tmp_path: Path) -> None:
    made = await take(
        stage, tmp_path, '{"sku": "a", "title": "A", "tags": [1]}\n{"sku": "b", "colour": 1}\n', name="i.jsonl"
    )
    assert counts(made) == {"records": 2, "created": 1, "refused": 1}
    assert {column for _, column, _ in await said(stage, made)} == {"title", "colour"}
    row = (await items(stage))["a"]
    text = f"id,pieces,created_at\n{row.id},9,2020-01-01T00:00:00Z\n{ADA},1,\nnone,1,\n"
    report = await take(stage, tmp_path, text, key=("id",))
    assert counts(report) == {"records": 3, "updated": 1, "refused": 2}
    assert {(column, message) for _, column, message in await said(stage, report)} == {("id", "There is no such row")}
    after = (await items(stage))["a"]
    assert (after.pieces, after.title, after.created_at) == (9, "A", row.created_at)


async def test_refused_rows_are_written_to_be_put_right_and_imported(stage: Stage, tmp_path: Path) -> None:
    report = await take(stage, tmp_path, "sku,title\na,A\nb,\n=c,\n")
    target, source = target_named(stage.database, "items"), source_at(tmp_path / "items.csv")
    rejects = tmp_path / "rejects.csv"
    async with stage.database.reading(SYSTEM) as session:
        await write_rejects(target, source, rejects, journal.refused_lines(session, report.import_id))
    assert rejects.read_text().splitlines() == [
        "import_line,import_reasons,sku,title", "3,title: Field required,b,", "4,title: Field required,'=c,",
    ]  # fmt: skip
    report = await take(
        stage, tmp_path, rejects.read_text().replace("b,", "b,B").replace("'=c,", "'=c,C"), name="r.csv"
    )
    assert counts(report) == {"records": 2, "created": 2}
    assert sorted(await items(stage)) == ["=c", "a", "b"]


async def test_text_of_ten_kinds_of_dirt_gives_reasons_and_no_failure(stage: Stage, tmp_path: Path) -> None:
    rows = [
        "nul\x00,x",
        "x" * 21 + ",long",
        "=1+1,formula",
        "\u202e,turned",
        "a,\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"),
    ]
    report = await take(stage, tmp_path, "sku,title\n" + "\n".join(rows))
    assert counts(report) == {"records": 5, "created": 2, "refused": 3}
    assert (await items(stage))["=1+1"].title == "formula"


def test_a_wrong_declaration_stops_the_start(tmp_path: Path) -> None:
    settings = Settings(env="test", var_dir=tmp_path, secret="x" * 40, limits="off")
    for wrong, message in (({"key": ["isbn"]}, "known by 'isbn'"), ({"columns": {"name": "Name"}}, "fills 'name'")):
        resource = Resource(Item).imports(**wrong)
        with pytest.raises(ConfigurationError, match=message):
            Freehold(resource, settings=settings)
    with pytest.raises(ConfigurationError, match="known by 'is_sold'"):
        Freehold(Resource(Order).imports(key=["is_sold", "nothing"]), settings=settings)


async def test_what_cannot_be_imported_says_what_to_do(stage: Stage, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no resource 'books'; there are items, order-lines, orders"):
        await take(stage, tmp_path, "a\n1\n", resource="books")
    with pytest.raises(ConfigurationError, match=r"name it \.csv or \.jsonl"):
        await take(stage, tmp_path, "a\n1\n", name="items.xlsx")
    with pytest.raises(ConfigurationError, match=r"belongs to somebody \(buyer_id\): import as one \(--as EMAIL\)"):
        await take(stage, tmp_path, "label\nx\n", resource="orders")
