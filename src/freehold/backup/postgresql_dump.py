"""PostgreSQL by its own tools, `pg_dump` and `pg_restore`, which are asked for on the PATH."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from freehold.backup.dumps import Dumped, Progress
from freehold.errors import ConfigurationError
from freehold.store.plain_engine import plain_engine

_TABLES = text("SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename")
_WATCHED_SECONDS = 0.25
_SHOWN = 600


class PostgresqlDump:
    """One PostgreSQL database. Needs the rights of its owner."""

    kind = "postgresql"
    entry = "database.pgdump"

    def __init__(self, url: str) -> None:
        self._url = make_url(url)

    async def write(self, path: Path, told: Progress) -> Dumped:
        """See `Dump`: the rows are counted in the snapshot that is dumped."""
        try:
            async with plain_engine(self._url) as engine, engine.connect() as connection:
                await connection.execution_options(isolation_level="REPEATABLE READ")
                snapshot = await connection.scalar(text("SELECT pg_export_snapshot()"))
                server = str(await connection.scalar(text("SHOW server_version")))
                tool = await _tool("pg_dump", at_least=_major(server))
                options = ["--format=custom", f"--snapshot={snapshot}", f"--file={path}", "--no-owner"]
                watch = asyncio.create_task(_watch(path, told))
                try:
                    await self._connected(tool, *options)
                finally:
                    watch.cancel()
                return Dumped(server, await _counted(connection))
        except (DBAPIError, OSError) as error:
            raise _unreachable(error) from error

    async def put_back(self, path: Path, told: Progress) -> None:
        """See `Dump`: in one transaction; what the dump holds is dropped before. Who owns and may do what is the target's."""
        try:
            async with plain_engine(self._url) as engine, engine.connect() as connection:
                server = str(await connection.scalar(text("SHOW server_version")))
                there = set(await connection.scalars(text("SELECT extname FROM pg_extension")))
        except (DBAPIError, OSError) as error:
            raise _unreachable(error) from error
        tool = await _tool("pg_restore", at_least=_major(server))
        told("database", 0, 0)
        contents = (await _run(tool, "--list", str(path))).splitlines()
        chosen = path.with_suffix(".list")
        try:
            chosen.write_text("\n".join(line for line in contents if _is_ours(line, there)), encoding="utf-8")
            await self._connected(
                tool, "--single-transaction", "--exit-on-error", "--clean", "--if-exists", "--no-owner",
                "--no-privileges", f"--use-list={chosen}", str(path),
            )  # fmt: skip
        finally:
            chosen.unlink(missing_ok=True)

    async def tables(self) -> dict[str, int]:
        """See `Dump`."""
        try:
            async with plain_engine(self._url) as engine, engine.connect() as connection:
                return await _counted(connection)
        except (DBAPIError, OSError) as error:
            raise _unreachable(error) from error

    async def faults(self) -> list[str]:
        """See `Dump`: constraints were checked as they were put back, so there is nothing to look for."""
        return []

    async def look_at(self, path: Path, promised: dict[str, int]) -> list[str]:
        """See `Dump`: its contents name every table."""
        listed = await _run(await _tool("pg_restore", at_least=0), "--list", str(path))
        named = set(re.findall(r" TABLE DATA \S+ (\S+) ", listed))
        return [f"the dump has no data of {name}" for name in promised if name not in named]

    async def _connected(self, *command: str) -> None:
        """Run a tool on this database. The password goes by a file: other users see the arguments of a command."""
        url = self._url
        with tempfile.NamedTemporaryFile("w", prefix="freehold-") as passwords:  # mode 0600
            escaped = (url.password or "").replace("\\", "\\\\").replace(":", "\\:")
            passwords.write(f"*:*:*:*:{escaped}\n")
            passwords.flush()
            wanted = {
                "host": url.host, "port": url.port, "user": url.username, "dbname": url.database,
                "sslmode": url.query.get("ssl") or url.query.get("sslmode"), "passfile": url.password and passwords.name,
            }  # fmt: skip
            said = " ".join(f"{name}={_quoted(str(value))}" for name, value in wanted.items() if value)
            await _run(*command, f"--dbname={said}")


async def _run(*command: str) -> str:
    """What a tool prints."""
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        printed, complaint = await process.communicate()
    except asyncio.CancelledError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        raise
    if process.returncode:
        said = complaint.decode(errors="replace")[-_SHOWN:].strip()
        raise ConfigurationError(f"{Path(command[0]).name} failed; nothing was changed.\n{said}")
    return printed.decode()


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


async def _tool(name: str, *, at_least: int) -> str:
    """Where it is. An older one than the server cannot dump it."""
    found = shutil.which(name)
    if found is None:
        raise ConfigurationError(
            f"{name} is not on the PATH: install PostgreSQL's client programs, version {at_least} or later "
            f"(Debian: postgresql-client-{at_least})."
        )
    version = _major((await _run(found, "--version")).partition(")")[2])
    if version < at_least:
        raise ConfigurationError(f"{found} is version {version} and the server {at_least}: install that version.")
    return found


def _major(version: str) -> int:
    found = re.search(r"\d+", version)
    return int(found.group()) if found else 0


async def _watch(path: Path, told: Progress) -> None:
    while True:
        await asyncio.sleep(_WATCHED_SECONDS)
        with suppress(FileNotFoundError):
            told("database", os.path.getsize(path), 0)  # noqa: ASYNC240, PTH202  # a look, which blocks nobody


async def _counted(connection: AsyncConnection) -> dict[str, int]:
    quote = connection.dialect.identifier_preparer.quote
    names = (await connection.scalars(_TABLES)).all()
    return {name: await connection.scalar(text(f"SELECT count(*) FROM {quote(name)}")) or 0 for name in names}  # noqa: S608  # names of the catalogue


def _is_ours(line: str, extensions: set[str]) -> bool:
    """Whether to put back what a line of the contents names: an extension that is there stays, with its comment."""
    found = re.match(r"\d+; \d+ \d+ (?:COMMENT - )?EXTENSION (?:- )?(\S+)", line)
    return found is None or found.group(1) not in extensions


def _unreachable(error: Exception) -> ConfigurationError:
    # A driver's message may repeat the address, with its password in it.
    return ConfigurationError(f"The database cannot be read ({type(error).__name__}).")
