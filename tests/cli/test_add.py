"""`freehold add resource`: fields and names, the edits, the files, and a project that passes its tests with them."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from tests.cli.test_new import call, freehold

from freehold.cli.add_code import imports
from freehold.cli.add_fields import TYPES, Field, parse
from freehold.cli.add_names import Names, names_of
from freehold.cli.edits import add_import, insert_at
from freehold.errors import ConfigurationError

Run = Callable[..., Any]
NUMBERS = count()


class TestFields:
    @pytest.mark.parametrize(
        ("text", "field"),
        [
            ("title:str", Field("title", "str")),
            ("title:str(80)^", Field("title", "str", ("80",), indexed=True)),
            ("title:str:80!?", Field("title", "str", ("80",), nullable=True, unique=True)),
            ("price:decimal(10, 2)", Field("price", "decimal", ("10", "2"))),
            ("price:decimal:10,2^", Field("price", "decimal", ("10", "2"), indexed=True)),
            ("status:enum(draft,published)", Field("status", "enum", ("draft", "published"))),
            ("author:ref:authors?", Field("author", "ref", ("authors",), nullable=True)),
            ("author_id:ref(authors)", Field("author", "ref", ("authors",))),
        ],
    )
    def test_are_read(self, text: str, field: Field) -> None:
        assert parse([text]) == [field]

    def test_of_every_type(self) -> None:
        needed = {"decimal": "(4,1)", "enum": "(a)", "ref": ":authors"}
        assert [each.kind for each in parse([f"f_{kind}:{kind}{needed.get(kind, '')}" for kind in TYPES])] == [*TYPES]

    @pytest.mark.parametrize(
        ("text", "remedy"),
        [
            ("title", "write it as name:type"),
            ("title:", "write it as name:type"),
            ("title:str*", "write it as name:type"),
            ("Title:str", "small letters"),
            ("é:str", "small letters"),
            ("_x:str", "small letters"),
            (f"{'x' * 41}:str", "at most 40"),
            ("class:str", "a word of Python's"),
            ("model_x:str", "a word of Python's or Pydantic's"),
            ("id:int", "of its own"),
            ("metadata:json", "of its own"),
            ("copy:str", "of its own"),
            ("limit:int", "query parameter"),
            ("date:date", "name of a type"),
            ("body:blob", "there is no type 'blob'; there are str"),
            ("body:text(5)", "take away 5"),
            ("title:str(0)", r"from 1 to 255, as in str\(80\)"),
            ("title:str(256)", "longer text is of type text"),
            ("price:decimal", r"decimal\(10,2\)"),
            ("price:decimal(16,2)", "at most 15"),
            ("price:decimal(2,3)", "decimal places"),
            ("status:enum", r"enum\(draft,published\)"),
            ("status:enum(Draft)", "small letters"),
            ("status:enum(a,a)", "twice"),
            ("author:ref", "book:ref:books"),
            ("title:str^^", "twice"),
            ("extra:json^", "take away \\^"),
            ("is_x:bool!", "take away !"),
        ],
    )
    def test_that_do_not_fit_are_refused_with_the_remedy(self, text: str, remedy: str) -> None:
        with pytest.raises(ConfigurationError, match=remedy) as refused:
            parse([text])
        assert text in str(refused.value)

    def test_with_one_name_twice_are_refused(self) -> None:
        for second in ("book:str", "book_id:int", "book:ref:books"):
            with pytest.raises(ConfigurationError, match="twice"):
                parse(["book:ref:books", second])
        with pytest.raises(ConfigurationError, match="title_key"):
            parse(["title:str^", "title_key:str"])
        with pytest.raises(ConfigurationError, match="one already"):
            parse(["owner_id:uuid"], reserved={"owner_id": "the resource has one already"})

    def test_are_needed(self) -> None:
        with pytest.raises(ConfigurationError, match="a field at least"):
            parse([])


class TestNames:
    @pytest.mark.parametrize("given", ["book_review", "BookReview", "book-review"])
    def test_are_made_from_any_form(self, given: str) -> None:
        assert names_of(given) == Names("book_review", "book_reviews", "BookReview")

    def test_with_a_plural_of_their_own(self) -> None:
        assert names_of("child", plural="children").collection == "children"
        assert names_of("news", plural="news-items").collection == "news_items"
        assert names_of("address").collection == "addresses"

    @pytest.mark.parametrize(
        ("given", "remedy"),
        [
            ("reviews", "singular, review. If reviews is the singular, say its plural: --plural reviewses"),
            ("my book", "letters, digits and _"),
            ("1st", "letters, digits and _"),
            ("class", "Choose another"),
            ("user", "Choose another"),
            ("exception", "Choose another"),
            ("none", "Choose another"),
        ],
    )
    def test_that_cannot_be_are_refused(self, given: str, remedy: str) -> None:
        with pytest.raises(ConfigurationError, match=remedy):
            names_of(given)

    def test_a_collection_cannot_be_called_as_one(self) -> None:
        with pytest.raises(ConfigurationError, match="sheep_list"):
            names_of("sheep", plural="sheep")


class TestEdits:
    SOURCE = "from freehold import Freehold\n\nfrom .books.routes import books\nfrom .settings import S\n\napp = Freehold(\n    books,\n    # mark: here\n)\n"

    def test_stand_above_the_mark_and_are_made_once(self) -> None:
        once = insert_at(self.SOURCE, "mark", "reviews")
        assert once is not None
        assert "    books,\n    reviews,\n    # mark: here\n" in once
        assert insert_at(once, "mark", "reviews") == once
        assert insert_at(self.SOURCE, "another", "reviews") is None

    @pytest.mark.parametrize(
        ("module", "after", "before"),
        [
            ("authors.routes", "", "from .books"),
            ("reviews.routes", "books\n", "from .settings"),
            ("tags.routes", "import S\n", "\napp"),
        ],
    )
    def test_keep_imports_in_order(self, module: str, after: str, before: str) -> None:
        line = f"from .{module} import x\n"
        once = add_import(self.SOURCE, module, "x")
        assert f"{after}{line}{before}" in once
        assert add_import(once, module, "x") == once

    def test_imports_are_written_as_ruff_sorts_them(self) -> None:
        found = {("sqlalchemy", "JSON"), ("sqlalchemy", "String"), ("uuid", "UUID"), ("typing", "get_args"),
                 ("typing", "Any"), (".models", "X")}  # fmt: skip
        assert imports(found) == [
            "from typing import Any, get_args", "from uuid import UUID", "", "from sqlalchemy import JSON, String", "",
            "from .models import X",
        ]  # fmt: skip


SHOP = """
from collections.abc import Sequence
from uuid import UUID

from freehold import Access, Freehold, Principal, Resource, anyone, owner, signed_in
from freehold.resource.base import Base as FreeholdBase
from sqlalchemy.orm import Mapped


class Base(FreeholdBase):
    __abstract__ = True
    metadata = FreeholdBase.metadata.__class__(naming_convention=FreeholdBase.metadata.naming_convention)


class Author(Base):
    keeper_id: Mapped[UUID]
    name: Mapped[str]


class Nobody:
    async def authenticate(self, authorization: Sequence[str]) -> Principal:
        return Principal()


authors = Resource(Author, access=Access(read=anyone, create=signed_in, update=owner("keeper_id")))
app = Freehold(
    authors,
    # freehold:resources
    title="Shop",
    prefix="/api",
    authenticator=Nobody(),
)
"""


@pytest.fixture
def shop(project: Path) -> Path:
    """A project that was not made by `freehold new`: no accounts, no migrations, tests of its own."""
    # Under a name of its own: SQLAlchemy remembers the classes of a module for as long as the process lives.
    folder = project / f"shop_of_add_{next(NUMBERS)}"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "app.py").write_text(SHOP)
    (project / "pyproject.toml").write_text(f'[tool.freehold]\napp = "{folder.name}.app:app"\n')
    (project / "tests" / "scenes").mkdir(parents=True)
    (project / "tests" / "scenes" / "__init__.py").write_text("# no list of parts\n")
    return folder


ALL = [
    "title:str^!", "body:text?^", "pages:int?", "score:float^", "price:decimal(6,2)^", "is_final:bool", "due_on:date^",
    "seen_at:datetime", "code:uuid!", "extras:json?", "status:enum(draft,published)^", "mood:enum:good,bad?",
    "author:ref:authors", "second:ref:authors?",
]  # fmt: skip


class TestFiles:
    def test_four_files_are_written_and_registered(self, run: Run, shop: Path, project: Path) -> None:
        printed = run("add", "resource", "book", *ALL, "--json")
        assert printed.status == 0, printed.err
        report = json.loads(printed.out)
        assert report["resource"] == "books"
        names = ["__init__", "models", "schemas", "crud", "routes"]
        assert report["written"][:5] == [f"{shop.name}/books/{name}.py" for name in names]
        assert report["changed"] == [f"{shop.name}/app.py"]
        assert "    books,\n    # freehold:resources\n" in (shop / "app.py").read_text()
        assert "from .books.routes import books\n" in (shop / "app.py").read_text()
        models = (shop / "books" / "models.py").read_text()
        assert 'title_key: Mapped[str] = folded("title", index=True)' in models
        assert "owner_id: Mapped[UUID] = mapped_column(index=True)\n" in models, "there are no accounts to point to"
        assert 'PATH = "/api/books"' in (project / "tests" / "test_books.py").read_text()
        assert "keeper_id=of.id" in (project / "tests" / "scenes" / "books.py").read_text()
        for path in report["written"]:
            ast.parse((project / path).read_text())

    @pytest.mark.parametrize(
        ("options", "access"),
        [
            ([], 'read=OWNER | role("admin"),\n        create=signed_in,\n        update=OWNER,'),
            (["--public-read"], "read=anyone,\n        create=signed_in,\n        update=OWNER,"),
            (["--no-owner"], 'read=signed_in,\n        write=role("admin"),'),
            (["--no-owner", "--public-read"], 'read=anyone,\n        write=role("admin"),'),
        ],
    )
    def test_access_is_as_asked_for(self, options: list[str], access: str, run: Run, shop: Path) -> None:
        printed = run("add", "resource", "sheet", "title:str", "--plural", "papers", *options)
        assert printed.status == 0, printed.err
        assert f"written {shop.name}/papers/models.py\n" in printed.out
        assert access in (shop / "papers" / "routes.py").read_text()
        assert '__tablename__ = "papers"' in (shop / "papers" / "models.py").read_text()

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["author", "name:str"], "there is a table authors already"),
            (["book", "writer:ref:writers"], "there is no such resource here; there are authors"),
            (["book", "name:blob"], "field 'name:blob'"),
            (["book", "books:int"], "field 'books:int': a table is called so"),
            (["book", "authors:str"], "field 'authors:str': a table is called so"),
            (["name", "label:str", "--plural", "name"], "its collection needs a name of its own"),
            (["title", "label:str", "--plural", "keeper_id"], "authors has a column keeper_id"),
        ],
    )
    def test_a_refusal_writes_nothing(self, arguments: list[str], message: str, run: Run, shop: Path) -> None:
        printed = run("add", "resource", *arguments)
        assert (printed.status, printed.out) == (2, "")
        assert message in printed.err
        assert {path.name for path in shop.iterdir()} - {"__pycache__"} == {"__init__.py", "app.py"}
        assert (shop / "app.py").read_text() == SHOP

    def test_what_is_there_is_not_overwritten(self, run: Run, shop: Path, project: Path) -> None:
        (project / "tests" / "test_books.py").write_text("mine")
        assert "test_books.py is there already" in run("add", "resource", "book", "title:str").err
        assert not (shop / "books").exists()
        (shop / "books").mkdir()
        assert "books is there already" in run("add", "resource", "book", "title:str").err

    def test_without_the_mark_the_remedy_is_told(self, run: Run, shop: Path) -> None:
        (shop / "app.py").write_text(SHOP.replace("    # freehold:resources\n", ""))
        printed = run("add", "resource", "book", "title:str")
        assert printed.status == 2
        assert "holds no line `# freehold:resources`" in printed.err

    def test_an_app_outside_of_a_package_has_no_place_for_it(self, run: Run, project: Path) -> None:
        (project / "alone.py").write_text(SHOP)
        assert "alone stands in no package" in run("add", "resource", "book", "title:str", "--app", "alone:app").err


@pytest.mark.proof
@pytest.mark.timeout(600)
def test_a_project_passes_its_tests_with_what_was_added(project: Path) -> None:
    assert freehold(project, "new", "bookstore").returncode == 0
    store = project / "bookstore"
    added = freehold(store, "add", "resource", "review", "body:text", "rating:int^", "book:ref:books", "--json")
    assert added.returncode == 0, added.stderr
    assert json.loads(added.stdout)["changed"] == ["bookstore/app.py", "tests/scenes/__init__.py"]
    every = [each.replace(":ref:authors", ":ref:books") for each in ALL]
    assert (
        freehold(
            store, "add", "resource", "leaf", *every, "judge:ref:users", "--plural", "leaves", "--public-read"
        ).returncode
        == 0
    )
    tested = call(store, "make", "test", "ARGS=-q -p no:cacheprovider")
    assert tested.returncode == 0, tested.stdout + tested.stderr
    assert "failed" not in tested.stdout
    checked = call(store, "make", "check")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    before = {path: path.read_bytes() for path in store.rglob("*.py")}
    again = freehold(store, "add", "resource", "review", "body:text")
    assert (again.returncode, "reviews is there already" in again.stderr) == (2, True)
    (store / "bookstore" / "migrations" / "env.py").write_text("raise RuntimeError('a planted fault')\n")
    failed = freehold(store, "add", "resource", "note", "body:text")
    assert failed.returncode == 2
    assert "a planted fault" in failed.stderr
    changed = {path for path in store.rglob("*.py") if before.get(path) != path.read_bytes()}
    assert changed == {store / "bookstore" / "migrations" / "env.py"}, "a migration that fails leaves nothing behind"
