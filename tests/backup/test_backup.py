"""F13: a backup that is taken while people write, put back elsewhere."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select
from tests.media import pictures
from tests.media.gallery_app import ADA, GalleryAlbum, GalleryMedium, GalleryUser, build
from tests.waiting import until

from freehold import Freehold
from freehold.backup import Archive, back_up, restore
from freehold.backup.media_check import alive
from freehold.backup.restoring import examine
from freehold.cli import main
from freehold.errors import ConfigurationError
from freehold.media import add
from freehold.media.variants import original_key
from freehold.resource.principal import system
from freehold.store import audit, audit_check

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
WHO = system("the backup's test")
KEY = b"s" * 40


def silent(name: str, done: int, total: int) -> None:
    """Nobody watches."""


async def write(app: Freehold, number: int) -> UUID:
    """An album with a paper in it, and a line in the audit trail; its id once it is acknowledged."""
    async with app.database.writing(WHO) as unit:
        album = GalleryAlbum(owner_id=ADA)
        unit.session.add(album)
        await unit.session.flush()
        paper = pictures.pdf() + str(number).encode()
        await add(unit.session, paper, owner_id=ADA, purpose="paper", filename="a.pdf", album_id=album.id)
        await audit.record(unit.session, "albums.made", subject_type="albums", subject_id=album.id)
    return album.id


@contextlib.asynccontextmanager
async def running(url: str, folder: Path):
    app = build(url, folder)
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
def elsewhere(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> str:
    """Another database of the same kind."""
    if database_url.startswith("sqlite"):
        return f"sqlite+aiosqlite:///{tmp_path}/elsewhere/new.db"
    url: str = request.getfixturevalue("other_postgres_url")
    return url


async def test_F13_taken_while_writing_and_restored_elsewhere_it_holds_what_was_acknowledged(
    database_url: str, elsewhere: str, tmp_path: Path
) -> None:
    async with running(database_url, tmp_path / "var") as app:
        async with app.database.writing(WHO) as unit:
            ada = GalleryUser(id=ADA, full_name="Ada")
            ada.set_email("ada@example.com")
            unit.session.add(ada)
        acknowledged = [await write(app, number) for number in range(5)]
        written, stop = list(acknowledged), asyncio.Event()

        async def go_on() -> None:
            while not stop.is_set():
                written.append(await write(app, len(written)))
                await asyncio.sleep(0.01)  # the longer a backup takes, the more there would be to put back

        writer = asyncio.create_task(go_on())
        await until(lambda: len(written) > len(acknowledged))
        acknowledged = list(written)
        target = tmp_path / "gallery.tar"
        made = await back_up(
            target, service="Gallery", url=database_url, files=app.library.files, library=app.library, told=silent
        )
        stop.set()
        await writer
        assert len(written) > len(acknowledged), "it went on meanwhile"
        assert (made.lost, made.manifest.tables["users"]) == (0, 1)
        assert (await examine(Archive(target), folder=tmp_path, told=silent)).faults == []

    fresh = build(elsewhere, tmp_path / "elsewhere")
    known = {"url": elsewhere, "files": fresh.library.files, "folder": tmp_path, "told": silent}
    assert (await restore(Archive(target), **known)).faults == []
    with pytest.raises(ConfigurationError, match=r"not empty: albums, .* Nothing was changed"):
        await restore(Archive(target), **known)
    async with running(elsewhere, tmp_path / "elsewhere") as again:
        async with again.database.reading(WHO) as session:
            albums = set(await session.scalars(select(GalleryAlbum.id)))
            assert set(acknowledged) <= albums <= set(written)
            assert await audit_check.verify(session, key=KEY) == []
            assert len((await session.scalars(select(GalleryMedium.id))).all()) == len(albums)
        stored = {each.key async for each in again.library.files.list("")}
        assert {original_key(each) for each in await alive(again.library)} <= stored
        await write(again, 0)
    assert (await restore(Archive(target), **known, replace=True)).faults == []
    assert {each.key async for each in fresh.library.files.list("")} == made.manifest.stored.keys()


APP = """
from freehold import Access, Base, Freehold, Resource, anyone
from sqlalchemy.orm import Mapped
class Leaf(Base):
    __tablename__ = "leaves"
    title: Mapped[str]
app = Freehold(Resource(Leaf, access=Access(read=anyone, write=anyone)), title="Leaves")
"""


@pytest.fixture
def freehold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> Callable[..., tuple[int, str]]:
    """The command line on a small service of its own; its exit status, and what it printed."""
    (tmp_path / "leaves_app.py").write_text(APP.replace("Base,", "", 1).replace(
        "class Leaf", "from freehold.resource.base import Base as B\nclass Base(B):\n    __abstract__ = True\n"
        "    metadata = B.metadata.__class__(naming_convention=B.metadata.naming_convention)\nclass Leaf",
    ))  # fmt: skip
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("FREEHOLD_LOG_LEVEL", "error")

    def run(*arguments: str, var: str = "var", **environ: str) -> tuple[int, str]:
        sys.modules.pop("leaves_app", None)
        with monkeypatch.context() as patched:
            patched.setattr(sys, "argv", ["freehold", *arguments, "--app", "leaves_app:app"])
            for name, value in {"VAR_DIR": str(tmp_path / var), **environ}.items():
                patched.setenv(f"FREEHOLD_{name}", value)
            with pytest.raises(SystemExit) as ended:
                main()
        printed = capsys.readouterr()
        return ended.value.code or 0, printed.out + printed.err

    async def fill() -> None:
        app = sys.modules["leaves_app"].app
        async with app.router.lifespan_context(app), app.database.writing(WHO) as unit:
            unit.session.add_all([sys.modules["leaves_app"].Leaf(title=str(number)) for number in range(3)])

    status, said = run("backup", "leaves.tar", "--without-secret")
    assert (status, "holds no tables" in said) == (2, True), said
    asyncio.run(fill())
    return run


@pytest.mark.long
def test_F13_the_commands_seal_the_secret_refuse_what_would_harm_and_say_what_they_did(freehold, tmp_path) -> None:
    good, words = {"BACKUP_PASSPHRASE": "a long enough phrase"}, "a long enough phrase"
    assert freehold("backup", "no.tar")[0] == 2, "no passphrase, nobody to ask"
    (tmp_path / "words").write_text(f"{words}\n")
    status, said = freehold("backup", "leaves.tar.gz", "--verify", "--passphrase-file", "words")
    assert (status, "the secret, sealed" in said, "read back" in said) == (0, True, True), said
    assert (tmp_path / "leaves.tar.gz").stat().st_mode & 0o077 == 0
    status, said = freehold("backup", "leaves.tar.gz", "--without-secret")
    assert (status, "exists already" in said) == (2, True), said
    secret = (tmp_path / "var" / "secret").read_text()
    with tarfile.open("leaves.tar.gz") as tar:
        assert not any(secret.encode() in tar.extractfile(member).read() for member in tar)

    status, said = freehold("restore", "leaves.tar.gz", var="other", BACKUP_PASSPHRASE="another long phrase")
    assert (status, "not the one" in said) == (2, True), said
    status, said = freehold("restore", "leaves.tar.gz", var="other", **good, SECRET="x" * 40)
    assert (status, "Nothing was changed" in said) == (2, True), said
    status, said = freehold("restore", "leaves.tar.gz", "--json", var="other", **good)
    assert status == 0, said
    assert json.JSONDecoder().raw_decode(said)[0]["tables"]["leaves"] == 3
    assert (tmp_path / "other" / "secret").read_text() == secret
    assert freehold("restore", "leaves.tar.gz", "--secret-to", "kept", var="other", **good)[0] == 0
    assert (tmp_path / "kept").read_text() == secret
    assert freehold("audit", "verify", var="other")[0] == 0


@pytest.mark.parametrize(("at", "what"), [(-200_000, "cut"), (5_000, "changed"), (0, "none")])
def test_F13_a_damaged_backup_is_refused_before_anything_is_changed(freehold, tmp_path, at, what) -> None:
    assert freehold("backup", "leaves.tar", "--without-secret")[0] == 0
    content = bytearray((tmp_path / "leaves.tar").read_bytes())
    damaged = {"cut": content[:at], "changed": content[:at] + b"\xff\xfe" + content[at + 2 :], "none": b"no tar"}[what]
    (tmp_path / "leaves.tar").write_bytes(damaged)
    status, said = freehold("restore", "leaves.tar", "--without-secret", var="other")
    assert (status, "leaves.tar" in said) == (2, True), said
    assert not (tmp_path / "other" / "freehold.db").exists()
