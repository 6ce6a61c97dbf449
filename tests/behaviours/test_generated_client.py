"""A client that a generator makes from the OpenAPI document works against the running service (N05)."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import MetaData
from sqlalchemy.orm import Mapped

from freehold import Access, Freehold, Queries, Resource, anyone, signed_in
from freehold.resource.base import NAMING, Base
from freehold.settings import Settings
from freehold.web.edge_server import server

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

ROOT = Path(__file__).parents[2]
# Apart from the lock, in an environment of its own: it holds typer back to a version older than the command line's.
GENERATOR = "openapi-python-client==0.29.1"
WORK = """
import json, sys
from pathlib import Path

from openapi_python_client import generate
from openapi_python_client.config import Config, ConfigFile, MetaType

document, package, address = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
config = Config.from_sources(ConfigFile(post_hooks=[]), MetaType.NONE, document, "utf-8", True, output_path=package)
faults = [f"{fault.header} {fault.detail}" for fault in generate(config=config)]

from novels_client import AuthenticatedClient, Client
from novels_client.api.auth import create_token, list_sessions
from novels_client.api.novels import create_novel, delete_novel, get_novel, list_novels, update_novel
from novels_client.api.users import register_user
from novels_client.models import BodyCreateToken, NovelCreate, NovelUpdate, UserCreate

nobody, password = Client(base_url=address), "lantern quarry velvet 42"
user = register_user.sync(client=nobody, body=UserCreate(email="ada@example.com", password=password, full_name="Ada"))
form = BodyCreateToken(grant_type="password", username="ada@example.com", password=password)
token = create_token.sync(client=nobody, body=form, idempotency_key="log-in-1")
again = create_token.sync_detailed(client=nobody, body=form, idempotency_key="log-in-1")
ada = AuthenticatedClient(base_url=address, token=token.access_token)
refused = create_novel.sync_detailed(client=nobody, body=NovelCreate(title="Emma", year=1815))
made = create_novel.sync_detailed(client=ada, body=NovelCreate(title="Emma", year=1815))
invalid = create_novel.sync_detailed(client=ada, body=NovelCreate(title="Emma", year=2**70))
novel = made.parsed
changed = update_novel.sync(novel.id, client=ada, body=NovelUpdate(year=1816), if_match=made.headers["etag"])
stale = update_novel.sync_detailed(novel.id, client=ada, body=NovelUpdate(year=1), if_match=made.headers["etag"])
listed = list_novels.sync(client=nobody, year_gte=1816, count=True)
deleted = delete_novel.sync_detailed(novel.id, client=ada)
gone = get_novel.sync(novel.id, client=nobody)
print(json.dumps({
    "faults": faults,
    "user": [user.email, user.full_name],
    "replayed": [again.parsed.refresh_token == token.refresh_token, again.headers["idempotent-replayed"]],
    "refused": [refused.status_code, refused.parsed.code],
    "invalid": [invalid.status_code, invalid.parsed.errors[0].pointer],
    "made": [made.status_code, novel.title, novel.year, type(novel.created_at).__name__],
    "changed": changed.year,
    "stale": [stale.status_code, stale.parsed.code],
    "listed": [listed.total, [each.title for each in listed.items], listed.next_cursor],
    "sessions": [each.is_current for each in list_sessions.sync(client=ada).items],
    "deleted": deleted.status_code,
    "gone": [gone.status, gone.code],
}))
"""


class Local(Base):
    __abstract__ = True
    metadata = MetaData(naming_convention=NAMING)


class Novel(Local):
    title: Mapped[str]
    year: Mapped[int]


@pytest.fixture
def novels(tmp_path: Path) -> Freehold:
    settings = Settings(
        env="test",
        var_dir=tmp_path,
        database_url=f"sqlite+aiosqlite:///{tmp_path}/n.db",
        secret="s" * 40,
        limits="off",
        log_level="error",
    )
    access = Access(read=anyone, write=signed_in)
    resource = Resource(Novel, access=access, queries=Queries(filters=["year__gte"], sort=["-created_at"]))
    return Freehold(resource, title="Novels", settings=settings)


@pytest.fixture
def address(novels: Freehold) -> Iterator[str]:
    """The service, served from a thread of its own."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        process = server(novels, host="127.0.0.1", port=0)
        thread = threading.Thread(target=process.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not process.started and thread.is_alive():
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        process.should_exit = True
        thread.join(timeout=10)


def _run(folder: Path, *arguments: str) -> str:
    """The work in the generator's own environment: from uv's cache where it is there, from the registry the first time."""
    uv = Path(sys.executable).with_name("uv")
    script = folder / "work.py"
    script.write_text(WORK, encoding="utf-8")
    said = ""
    for network in (["--offline"], []):
        environment = dict(os.environ)
        if not network:
            code = "import json, registry; print(json.dumps(registry.uv_environment()))"
            told = subprocess.run(
                [sys.executable, "-c", code], cwd=ROOT / "scripts", capture_output=True, text=True, check=True
            )
            environment = json.loads(told.stdout)
        command = [uv, "run", "--quiet", *network, "--no-project", "--isolated", "--with", GENERATOR, "python", script]
        done = subprocess.run(
            [*command, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode == 0:
            return done.stdout.splitlines()[-1]
        said = done.stderr
        if "Traceback" in said:
            pytest.fail(said)
    if os.environ.get("FREEHOLD_REQUIRE_SERVICES") == "1":
        pytest.fail(f"{GENERATOR} cannot be had: {said}")
    pytest.skip(f"{GENERATOR} cannot be had: {said}")


@pytest.mark.long
def test_N05_a_client_made_from_the_document_works(novels: Freehold, address: str, tmp_path: Path) -> None:
    document = tmp_path / "novels.json"
    document.write_text(json.dumps(novels.openapi()), encoding="utf-8")
    told = json.loads(_run(tmp_path, str(document), str(tmp_path / "novels_client"), address))
    assert told == {
        "faults": [],
        "user": ["ada@example.com", "Ada"],
        "replayed": [True, "true"],
        "refused": [401, "auth.unauthenticated"],
        "invalid": [422, "/year"],
        "made": [201, "Emma", 1815, "datetime"],
        "changed": 1816,
        "stale": [412, "request.precondition_failed"],
        "listed": [1, ["Emma"], None],
        "sessions": [True],
        "deleted": 204,
        "gone": [404, "request.not_found"],
    }
