"""Twenty-four faults that a library API of this kind had, each shown absent here."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from freehold import system
from freehold.errors import ConfigurationError
from freehold.settings import Settings
from freehold.testing import Clock, Person, Stage, every_route_has_a_rule

from ..fines.models import Fine, Payment
from ..libraries.models import Library
from ..service import build
from ..settings import LibrarySettings
from .shelves import DUNE, a_copy, lent, returned, rule, title

pytestmark = pytest.mark.anyio
ROOT = Path(__file__).parents[3]
SERVICE = Path(__file__).parents[1]
EVA = {"email": "eva@library.example", "password": "seven green umbrellas", "full_name": "Eva Lund"}


def sources() -> dict[str, ast.Module]:
    found = [path for path in SERVICE.rglob("*.py") if not {"tests", "migrations"} & set(path.parts)]
    return {str(path): ast.parse(path.read_text(encoding="utf-8")) for path in found}


async def token(anonymous: Person, form: dict[str, str]) -> Any:
    return await anonymous.client.post("/v1/auth/token", data={"grant_type": "password", **form})


async def test_fault_01_no_hash_in_any_answer(anonymous: Person) -> None:
    made = await anonymous.post("/v1/users", EVA)
    answered = (await token(anonymous, {"username": EVA["email"], "password": EVA["password"]})).json()
    me = await anonymous.get("/v1/users/me", Authorization=f"Bearer {answered['access_token']}")
    for text in (made.text, str(answered), me.text):
        assert not re.search(r"argon2|password|hash", text, re.IGNORECASE)


async def test_fault_02_no_list_of_all_users(anonymous: Person, ada: Person, librarian: Person) -> None:
    assert [(await each.get("/v1/users")).status for each in (anonymous, ada, librarian)] == [405, 405, 405]
    assert (await ada.get(f"/v1/users/{librarian.id}")).status == 404


async def test_fault_03_nobody_chooses_a_role(anonymous: Person, ada: Person) -> None:
    for body in (EVA | {"role": "librarian"}, EVA | {"roles": ["librarian"]}):
        assert (await anonymous.post("/v1/users", body)).status == 422
    assert (await ada.patch("/v1/users/me", {"roles": ["librarian"]})).status == 422
    assert (await ada.put(f"/v1/users/{ada.id}/roles", {"roles": ["librarian"]})).status == 403


async def test_fault_04_a_denial_is_no_200(ada: Person, librarian: Person) -> None:
    book = await title(librarian)
    denied = [await ada.post("/v1/books", DUNE), await ada.delete(f"/v1/books/{book['id']}")]
    assert [(each.status, each.code) for each in denied] == [(403, "auth.forbidden")] * 2


async def test_fault_05_books_are_changed_by_librarians(anonymous: Person, ada: Person, librarian: Person) -> None:
    path = f"/v1/books/{(await title(librarian))['id']}"
    for person, status in ((anonymous, 401), (ada, 403)):
        assert (await person.patch(path, {"title": "Mine"})).status == status
        assert (await person.delete(path)).status == status


async def test_fault_06_loans_are_one_s_own(anonymous: Person, ada: Person, ben: Person, librarian: Person) -> None:
    book = await title(librarian)
    assert (await anonymous.post("/v1/loans", {"book_id": book["id"]})).status == 401
    assert (await ben.post("/v1/loans", {"book_id": book["id"], "patron_id": ada.id})).status == 422
    loan = await lent(ada, book["id"])
    assert (await anonymous.get("/v1/loans")).status == 401
    assert (await ben.get("/v1/loans")).json["items"] == []
    assert (await ben.get(f"/v1/loans/{loan['id']}")).status == 404


async def test_fault_07_a_bad_token_is_a_401(anonymous: Person) -> None:
    for given in ("Bearer", "Bearer x", "Basic Og==", "x", "Bearer a.b.c", 'Bearer "'):
        answer = await anonymous.get("/v1/users/me", Authorization=given)
        assert (answer.status, "bearer" in answer.headers["www-authenticate"].lower()) == (401, True), given


def test_fault_08_no_default_secret_and_no_silent_sqlite() -> None:
    with pytest.raises(ConfigurationError, match="FREEHOLD_SECRET"):
        Settings.load({"FREEHOLD_ENV": "production", "FREEHOLD_PUBLIC_URL": "https://x.example"})
    with pytest.raises(ConfigurationError, match="FREEHOLD_DATABSE_URL"):
        Settings.load({"FREEHOLD_DATABSE_URL": "postgresql+asyncpg://x/y"})


def test_fault_09_nothing_prints_and_no_token_stands_in_the_source() -> None:
    called = {
        (place, node.func.id)
        for place, tree in sources().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert not [each for each in called if each[1] in ("print", "pprint")]
    for path in SERVICE.rglob("*.py"):
        assert not re.search(r"eyJ[\w-]{8,}\.", path.read_text(encoding="utf-8"))


async def test_fault_10_log_in_has_a_limit(tmp_path: Path) -> None:
    from freehold.testing import running

    core = Settings(
        env="test", database_url=f"sqlite+aiosqlite:///{tmp_path}/limits.db", var_dir=tmp_path, secret="s" * 40,
        log_level="error",
    )  # fmt: skip
    async with running(build(core=core, own=LibrarySettings(), migrations=None)) as stage:
        wrong = {"username": "nobody@x.example", "password": "wrong wrong wrong"}
        answers = [await token(Person(stage.client()), wrong) for _ in range(6)]
        books = await stage.client().get("/v1/books")
    assert [answer.status_code for answer in answers] == [401] * 5 + [429]
    assert int(answers[-1].headers["retry-after"]) > 0
    assert ";q=1000;w=3600" in books.headers["ratelimit-policy"]


async def test_fault_11_pages_have_a_size(anonymous: Person, librarian: Person) -> None:
    for number in range(21):
        await title(librarian, copies=0, title=f"Volume {number}")
    for wrong in ("limit=0", "limit=101", "limit=x", "limit=-1", "cursor=x", "page=2"):
        assert (await anonymous.get(f"/v1/books?{wrong}")).status in (400, 422), wrong
    assert len((await anonymous.get("/v1/books")).json["items"]) == 20


async def test_fault_12_popularity_is_one_statement(ada: Person, librarian: Person, stage: Stage) -> None:
    for number in range(5):
        await returned(ada, await lent(ada, (await title(librarian, title=f"Volume {number}"))["id"]))
    with stage.budget(1):
        assert len((await ada.get("/v1/books/popular")).json) == 5


async def test_fault_13_wildcards_are_letters(anonymous: Person, librarian: Person) -> None:
    await title(librarian, copies=0)
    for asked in ("%25", "_", "%25une", "None"):
        assert (await anonymous.get(f"/v1/books?title__contains={asked}")).json["items"] == [], asked
    assert len((await anonymous.get("/v1/books")).json["items"]) == 1


async def test_fault_14_the_date_of_a_loan_is_that_of_its_day(ada: Person, librarian: Person, clock: Clock) -> None:
    book = await title(librarian, copies=2)
    first = await lent(ada, book["id"])
    clock.advance(days=4)
    second = await lent(ada, book["id"])
    assert [loan["loaned_at"][:10] for loan in (first, second)] == ["2026-01-05", "2026-01-09"]


async def test_fault_15_a_copy_is_lent_once_and_comes_back(ada: Person, ben: Person, librarian: Person) -> None:
    book = await title(librarian)
    loan = await lent(ada, book["id"])
    assert (await ben.post("/v1/loans", {"book_id": book["id"]})).code == "library.no_copy"
    await returned(ada, loan)
    await lent(ben, book["id"])


async def test_fault_16_what_is_out_of_stock_is_a_409(ada: Person, librarian: Person) -> None:
    book = await title(librarian, copies=0)
    for path in ("/v1/loans", "/v1/holds"):
        refused = await ada.post(path, {"book_id": book["id"]})
        assert (refused.status, refused.code) in {(409, "library.no_copy"), (409, "library.not_holdable")}


async def test_fault_17_no_get_changes_anything(stage: Stage) -> None:
    reads = [operation for operation in stage.app.mounted.operations if operation.method == "GET"]
    assert len(reads) > 20
    async with stage.database.reading(system("try to write in a read")) as session:
        with pytest.raises(Exception, match="this session only reads"):
            await session.execute(insert(Library).values(name="Nowhere"))


async def test_fault_18_money_is_whole_and_fixed(ada: Person, librarian: Person, clock: Clock) -> None:
    amounts = [column for table in (Fine, Payment) for column in table.__table__.c if column.name.endswith("amount")]
    assert {column.type.python_type for column in amounts} == {int}
    made = await rule(librarian, fine_amount=25)
    loan = await lent(ada, (await title(librarian))["id"])
    await librarian.patch(f"/v1/circulation-rules/{made['id']}", {"fine_amount": 99})
    clock.advance(days=16)
    await returned(ada, loan)
    assert [fine["amount"] for fine in (await ada.get("/v1/fines")).json["items"]] == [50]
    refused = await librarian.post("/v1/circulation-rules", {"item_type": "dvd", "fine_amount": 0.5})
    assert refused.status == 422


async def test_fault_19_what_is_not_there_is_a_404(librarian: Person) -> None:
    for key in ("0190b0a0-0000-7000-8000-000000000000", "1", "none"):
        for path in ("books", "copies", "loans", "holds"):
            answers = [await librarian.get(f"/v1/{path}/{key}")]
            answers += [] if path == "loans" else [await librarian.delete(f"/v1/{path}/{key}")]
            assert {answer.status for answer in answers} == {404}


async def test_fault_20_only_a_taken_address_is_taken(anonymous: Person) -> None:
    assert (await anonymous.post("/v1/users", EVA)).status == 201
    assert (await anonymous.post("/v1/users", EVA)).code == "identity.email_taken"
    other = await anonymous.post("/v1/users", EVA | {"email": "eva2@library.example"})
    assert other.status == 201, "a refusal leaves nothing in its way"
    handlers = [
        node for tree in sources().values() for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler) and (node.type is None or ast.unparse(node.type) == "Exception")
    ]  # fmt: skip
    assert handlers == []


async def test_fault_21_a_name_is_changed_without_the_password(ada: Person) -> None:
    changed = await ada.patch("/v1/users/me", {"full_name": "Ada King"})
    assert (changed.status, changed.json["full_name"]) == (200, "Ada King")


async def test_fault_22_other_origins_are_told_nothing(anonymous: Person) -> None:
    answer = await anonymous.get("/v1/books", Origin="https://evil.example")
    assert not [name for name in answer.headers if name.lower() == "access-control-allow-origin"]


async def test_fault_23_the_document_covers_every_route(sqlite_house: Any) -> None:
    app = sqlite_house.app
    told = {f"{method.upper()} {path}" for path, item in app.openapi()["paths"].items() for method in item}
    assert len(told) > 60
    assert {each for each in every_route_has_a_rule(app) if "/v1/" in each} <= told


def test_fault_24_one_command_runs_the_tests_and_no_database_is_kept() -> None:
    assert "make test" in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    kept = [path for path in SERVICE.rglob("*") if path.suffix in (".db", ".sqlite", ".sqlite3") or path.name == ".env"]
    assert kept == []
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8")
    assert {"var/", ".env"} <= set(ignored.split())


async def test_what_a_copy_costs_is_known_before_it_is_lent(librarian: Person) -> None:
    book = await title(librarian, copies=0)
    assert (
        await librarian.post("/v1/copies", {"book_id": book["id"], "barcode": "1", "price_amount": 9.5})
    ).status == 422
    assert (await a_copy(librarian, book["id"], price_amount=950))["price_amount"] == 950
