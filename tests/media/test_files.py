"""One contract for every form of the port."""

from __future__ import annotations

import asyncio
import importlib
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest
from tests.media.conftest import speak_s3
from tests.waiting import PATIENCE_SECONDS, until

from freehold.cli import main
from freehold.errors import ConfigurationError
from freehold.media import open_files
from freehold.media.copying import CopiedFiles, copy_files
from freehold.media.files import checked
from freehold.web.problem_translation import to_problem

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["local", "memory://", "file", pytest.param("s3", marks=pytest.mark.services)])
def files(request, tmp_path, monkeypatch):
    (tmp_path / "bucket").mkdir()
    if request.param == "s3":
        speak_s3(monkeypatch, request.getfixturevalue("s3_address"))
        return open_files(f"s3://bucket/{tmp_path.name}", tmp_path / "files")
    url = {"local": "", "file": f"file://{tmp_path}/bucket"}.get(request.param, request.param)
    return open_files(url, tmp_path / "files")


async def chunks(*pieces, fails=False):
    for piece in pieces:
        yield piece
    if fails:
        raise RuntimeError("the client is gone")


async def whole(files, key, **asked):
    return b"".join([piece async for piece in files.read(key, **asked)])


async def test_an_object_is_there_whole_or_not_at_all(files, tmp_path):
    assert await files.put("media/1/original", chunks(b"abc", b"def")) == 6
    assert await whole(files, "media/1/original") == b"abcdef"
    assert await whole(files, "media/1/original", start=2, end=4) == b"cd"
    assert await whole(files, "media/1/original", start=4) == b"ef"
    with pytest.raises(RuntimeError):
        await files.put("media/2/original", chunks(b"abc", fails=True))
    assert [each.key async for each in files.list("media/")] == ["media/1/original"]
    found = await files.stat("media/1/original")
    assert found is not None and found.size_bytes == 6
    assert abs(found.modified_at - datetime.now(UTC)) < timedelta(minutes=1)
    async with files.local("media/1/original") as path:
        assert path.read_bytes() == b"abcdef"
    given = tmp_path / "given"
    given.write_bytes(b"xyz")
    await files.adopt("media/1/thumb.webp", given)
    assert not given.exists() and await whole(files, "media/1/thumb.webp") == b"xyz"


async def test_only_an_object_store_takes_and_gives_objects_itself(files, request):
    addresses = [
        await files.address_to_put("media/1/original", lifetime=timedelta(minutes=1)),
        await files.address_to_get("media/1/original", lifetime=timedelta(minutes=1)),
    ]
    if request.node.callspec.params["files"] != "s3":
        assert addresses == [None, None]
        return
    async with httpx2.AsyncClient() as client:
        assert (await client.put(addresses[0], content=b"abc")).status_code == 200
        assert await whole(files, "media/1/original") == b"abc"
        assert (await client.get(addresses[1])).content == b"abc"


async def test_what_is_gone_is_gone(files):
    await files.put("media/1/original", chunks(b"abc"))
    await files.delete("media/1/original")
    await files.delete("media/1/original")
    assert await files.stat("media/1/original") is None
    assert [each.key async for each in files.list("media/")] == []
    with pytest.raises(FileNotFoundError):
        await whole(files, "media/1/original")
    with pytest.raises(FileNotFoundError):
        async with files.local("media/1/original"):
            pass


async def test_files_move_to_another_store_and_go_on_where_it_broke_off(files, tmp_path):
    source = open_files(None, tmp_path / "old")
    held = {f"media/{n}/original": bytes([n]) * (n * 100_000) for n in range(1, 5)}
    for key, content in held.items():
        await source.put(key, chunks(content))
    await files.put("media/2/original", chunks(held["media/2/original"]))
    await files.put("media/3/original", chunks(b"of another length"))
    assert await copy_files(source, files) == CopiedFiles(files=3, size_bytes=800_000, there_before=1)
    for key, content in held.items():
        assert await whole(files, key) == content == await whole(source, key)
    assert await copy_files(source, files) == CopiedFiles(files=0, size_bytes=0, there_before=4)


async def test_a_file_that_comes_back_as_another_one_is_not_kept(tmp_path, monkeypatch):
    source, target = open_files(None, tmp_path / "old"), open_files(None, tmp_path / "new")
    await source.put("media/1/original", chunks(b"abc"))
    monkeypatch.setattr(target, "read", lambda _: chunks(b"abd"))
    with pytest.raises(ConfigurationError, match=r"media/1/original came back .* as another one"):
        await copy_files(source, target)
    assert await target.stat("media/1/original") is None


def test_the_command_copies_rows_and_files(tmp_path, monkeypatch, capsys):
    var = tmp_path / "var"
    monkeypatch.setenv("FREEHOLD_DATABASE_URL", f"sqlite+aiosqlite:///{tmp_path}/old.db")
    monkeypatch.setenv("FREEHOLD_VAR_DIR", str(var))
    app = importlib.import_module("tests.media.served_app").app

    async def one_file() -> None:
        async with app.router.lifespan_context(app):
            await app.library.files.put("media/1/original", chunks(b"abc"))

    asyncio.run(one_file())

    def freehold(*arguments):
        monkeypatch.setattr(sys, "argv", ["freehold", "copy", "--app", "tests.media.served_app:app", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return ended.value.code or 0, printed.out + printed.err

    assert freehold()[0] == 2
    for there in (str(var / "files"), f"{var}/files/"):
        status, said = freehold("--files-to", there)
        assert (status, "there already" in said) == (2, True), said
    status, said = freehold("--to", f"sqlite+aiosqlite:///{tmp_path}/new.db")
    assert (status, "the files stay where they are" in said) == (0, True), said
    status, said = freehold("--files-to", str(tmp_path / "new" / "files"))
    assert (status, "copied 1 files of 3 bytes" in said) == (0, True), said
    assert asyncio.run(whole(open_files(None, tmp_path / "new" / "files"), "media/1/original")) == b"abc"
    status, said = freehold("--files-to", "s3://bucket/x?secret=hunter22")
    assert status == 2 and "hunter22" not in said, said


async def test_a_large_object_goes_in_pieces(files):
    assert await files.put("media/1/original", chunks(*[b"x" * 1_000_000] * 9, b"the end")) == 9_000_007
    assert await whole(files, "media/1/original", start=8_999_999) == b"xthe end"


async def test_F04_a_store_that_is_not_there_is_told_soon(monkeypatch, tmp_path):
    speak_s3(monkeypatch, "http://127.0.0.1:9")
    files, began = open_files("s3://bucket", tmp_path), time.monotonic()
    for asked in (
        files.stat("media/1/original"),
        files.put("media/1/original", chunks(b"abc")),
        files.delete("media/1"),
    ):
        with pytest.raises(ConnectionError):
            await asked
    with pytest.raises(ConnectionError):
        await whole(files, "media/1/original")
    assert time.monotonic() - began < 50
    assert to_problem(ConnectionError()).status == 503


@pytest.mark.parametrize("key", ["../x", "a/../b", "/a", "a//b", "a\0b", "", "a/.", "A", "x" * 501])
def test_a_key_is_of_our_own_making(key):
    with pytest.raises(ValueError, match="no key"):
        checked(key)


async def test_a_reader_that_leaves_while_its_file_is_opened_leaves_no_file_open(tmp_path, monkeypatch):
    files = open_files("", tmp_path)
    await files.put("media/one/original", chunks(b"a photo"))
    opened, may_open, loop = [], threading.Event(), asyncio.get_running_loop()
    started = asyncio.Event()
    real = Path.open

    def slow(path, *given):
        loop.call_soon_threadsafe(started.set)
        may_open.wait(PATIENCE_SECONDS)
        opened.append(real(path, *given))
        return opened[0]

    monkeypatch.setattr(Path, "open", slow)
    reading = asyncio.create_task(anext(files.read("media/one/original", end=7)))
    await started.wait()
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    may_open.set()
    await until(lambda: bool(opened) and opened[0].closed)
