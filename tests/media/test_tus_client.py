"""The tus client that browsers use, against a served application, one of which is killed in the middle."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.faults.served import Server
from tests.media import pictures
from tests.media.s3_server import absent

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.services, pytest.mark.timeout(600)]
PROGRAM = Path(__file__).parent / "tus" / "upload.mjs"
CHUNK = 256 * 1024
ADA = {"email": "ada@tus.example", "password": "seven green umbrellas", "full_name": "Ada Okafor"}


@pytest.fixture(scope="module")
def node() -> str:
    """Node.js, with the client installed beside the program as its lock file says."""
    program, npm = shutil.which("node"), shutil.which("npm")
    if program is None or npm is None:
        absent("Node.js and npm are not on the PATH: `make services` installs them")
    assert program is not None
    assert npm is not None
    if not (PROGRAM.parent / "node_modules" / "tus-js-client").is_dir():
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        done = subprocess.run(command, cwd=PROGRAM.parent, capture_output=True, text=True, timeout=50, check=False)
        if done.returncode != 0:
            absent(f"npm cannot install the tus client: {done.stderr.strip()[-300:]}")
    return program


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    found = Server(f"sqlite+aiosqlite:///{tmp_path}/tus.db", tmp_path, target="tests.media.served_app:app")
    await found.start()
    yield found
    found.close()


async def signed_in(client: httpx2.AsyncClient) -> str:
    """A new account's token."""
    assert (await client.post("/v1/users", json=ADA)).status_code == 201
    form = {"grant_type": "password", "username": ADA["email"], "password": ADA["password"]}
    token: str = (await client.post("/v1/auth/token", data=form)).json()["access_token"]
    return token


class Client:
    """One run of the client."""

    def __init__(self, node: str, server: Server, file: Path, token: str) -> None:
        said = {"endpoint": f"http://127.0.0.1:{server.port}/v1/uploads", "file": str(file), "token": token,
                "memory": str(file.with_suffix(".urls")), "chunk": CHUNK}  # fmt: skip
        self._command = [node, str(PROGRAM), json.dumps(said)]

    async def lines(self) -> AsyncIterator[dict[str, Any]]:
        """What it says, until it ends."""
        process = await asyncio.create_subprocess_exec(*self._command, stdout=asyncio.subprocess.PIPE)
        assert process.stdout is not None
        async for line in process.stdout:
            yield json.loads(line)
        await process.wait()


@pytest.mark.long
async def test_U02_an_upload_survives_the_server_s_sudden_death(node: str, server: Server, tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(pictures.mp4(24) + os.urandom(12 * CHUNK + 777))
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{server.port}") as http:
        token = await signed_in(http)
        accepted, said = 0, list[dict[str, Any]]()
        async for line in Client(node, server, clip, token).lines():
            said.append(line)
            accepted = max(accepted, line.get("accepted", 0))
            if accepted >= 4 * CHUNK and server.process is not None and server.process.poll() is None:
                await server.kill()
        assert accepted < clip.stat().st_size, "it was killed in the middle"
        assert "error" in said[-1], said
        await server.start()
        again = [line async for line in Client(node, server, clip, token).lines()]
        assert accepted <= next(line["resumed"] for line in again if "resumed" in line)
        assert "done" in again[-1], again
        http.headers["authorization"] = f"Bearer {token}"
        upload = (await http.get(again[-1]["done"])).json()
        assert upload["status"] == "done"
        medium = (await http.get(f"/v1/media/{upload['medium_id']}")).json()
        assert (medium["status"], medium["filename"]) == ("ready", "clip.mp4")
        assert (await http.get(medium["url"])).content == clip.read_bytes()
        listed = (await http.get("/v1/media?count=true")).json()
        assert listed["total"] == 1
    objects = tmp_path / "files" / "objects"
    assert [path.name for path in (objects / "media").rglob("*") if path.is_file()] == ["original"]
    pieces = [path for path in (objects / "uploads").rglob("*") if path.is_file()]
    assert len(pieces) <= 1, "the one that was written and not yet noted waits for the sweep"
