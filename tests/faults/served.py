"""Imba as it is run: `freehold serve` in a process of its own, and the people and houses that a test needs there."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from services.imba.properties.models import Property
from services.imba.service import build
from services.imba.settings import ImbaSettings
from services.imba.tests.world import COTTAGE
from services.imba.users.models import User
from sqlalchemy import insert
from tests.faults.wire import Gone, ask, request
from tests.ports import free_port

from freehold.cli.running import opened
from freehold.fields import new_id, now
from freehold.identity.authentication import PASSWORD, Authentication
from freehold.identity.sessions import UNKNOWN
from freehold.resource.principal import system
from freehold.settings import Settings

IMBA = "services.imba.app:app"
ROOT = Path(__file__).parents[2]
SECRET = "faults " * 8
# The issuer of tokens: one address, so that they are good at every server on the database, on whatever port.
PUBLIC_URL = "http://127.0.0.1:8000"


class Server:
    """One `freehold serve`. target: another app than Imba, on a schema that is there. settings: by their variables."""

    def __init__(self, url: str, folder: Path, *, target: str = IMBA, **settings: str) -> None:
        self.port = free_port()
        self.log = folder / f"server-{self.port}.log"
        self._target = [target] if target == IMBA else [target, "--no-migrate"]
        self.process: subprocess.Popen[bytes] | None = None
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("FREEHOLD_", "IMBA_"))},
            "FREEHOLD_DATABASE_URL": url,
            "FREEHOLD_VAR_DIR": str(folder),
            "FREEHOLD_SECRET": SECRET,
            "FREEHOLD_PUBLIC_URL": PUBLIC_URL,
            "FREEHOLD_LIMITS": "off",
            "FREEHOLD_LOG_LEVEL": "warning",
            **settings,
        }

    async def start(self) -> float:
        """Start, wait until it is ready; the seconds that took."""
        began = time.monotonic()
        self.process = self._run()
        while not await self.is_ready():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() - began < 60, self.log.read_text()
            await asyncio.sleep(0.02)
        return time.monotonic() - began

    def _run(self) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "freehold.cli", "serve", *self._target, "--port", str(self.port)],
                cwd=ROOT,
                env=self._environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    async def is_ready(self) -> bool:
        """Does it say so to a new client?"""
        try:
            return (await ask(self.port, request("GET", "/health/ready"))).status == 200
        except Gone:
            return False

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    async def ended(self, seconds: float) -> int:
        """Wait for its end; the exit status."""
        assert self.process is not None
        return await asyncio.to_thread(self.process.wait, seconds)

    async def kill(self) -> None:
        """As when the power fails."""
        self._kill()
        await self.ended(10)

    def close(self) -> None:
        """Whatever it was doing."""
        if self.process is not None:
            self._kill()
            self.process.wait()

    def _kill(self) -> None:
        """With all its processes: what is left of them would serve on for a while."""
        assert self.process is not None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)


@dataclass
class World:
    """Who is there. houses: listed by the night, the landlord's. Tokens are good for ten minutes."""

    landlord: UUID
    landlord_token: str
    tenants: list[UUID] = field(default_factory=list)
    tenant_tokens: list[str] = field(default_factory=list)
    houses: list[UUID] = field(default_factory=list)

    def stay(self, tenant: int, house: int, night: int, *, nights: int = 1, key: str = "") -> bytes:
        """The request for a stay, in days from some weeks from now."""
        arrival = date.today() + timedelta(days=30 + night)  # noqa: DTZ011  # a day, not a moment
        body = {
            "kind": "stay",
            "property_id": str(self.houses[house]),
            "check_in": arrival.isoformat(),
            "check_out": (arrival + timedelta(days=nights)).isoformat(),
            "guests": 2,
        }
        return request("POST", "/v1/reservations", token=self.tenant_tokens[tenant], body=body, key=key)

    def draft(self, title: str, *, key: str = "") -> bytes:
        """The request for a new listing, known by its title."""
        return request("POST", "/v1/properties", token=self.landlord_token, body={**COTTAGE, "title": title}, key=key)


async def people(url: str, folder: Path, *, tenants: int = 1, houses: int = 1, tag: str = "") -> World:
    """Make accounts, log-ins and listings, without HTTP: no password is hashed. The schema must be there.

    tag: in their addresses, for those that are not the first on this database.
    """
    core = Settings(env="test", database_url=url, var_dir=folder, limits="off", secret=SECRET, public_url=PUBLIC_URL)
    app = build(core=core, own=ImbaSettings())
    assert app.identity is not None
    async with opened(app):
        await app.identity.start()
        async with app.database.writing(system("people of the tests")) as unit:
            landlord, token = await _person(unit.session, app.identity, "landlord", 0, tag)
            world = World(landlord, token)
            for number in range(tenants):
                tenant, token = await _person(unit.session, app.identity, "tenant", number, tag)
                world.tenants.append(tenant)
                world.tenant_tokens.append(token)
            for _ in range(houses):
                row = {**COTTAGE, "id": new_id(), "landlord_id": landlord, "status": "listed", "created_at": now()}
                await unit.session.execute(insert(Property), [row])
                world.houses.append(row["id"])
        await app.identity.close()
    return world


async def _person(db: Any, identity: Any, account: Any, number: int, tag: str) -> tuple[UUID, str]:
    user = User(full_name=f"{account} {number}", account=account, roles=[account])
    user.set_email(f"{account}-{number}{tag}@faults.example")
    db.add(user)
    await db.flush()
    opened_session = await identity.parts.sessions.open(
        db, user, scope=None, device=UNKNOWN, authentication=Authentication.by(PASSWORD)
    )
    return user.id, opened_session.access_token


def rounds(variable: str, full: int, *, light: int | None = None) -> Any:
    """Parametrise a test by its number of rounds: the light form belongs to the suite, the long one to `make faults`.

    variable: of the environment, where another number than the full one may stand.
    """
    number = int(os.environ.get(variable, full))
    forms = [pytest.param(number, id="long", marks=[pytest.mark.faults, pytest.mark.timeout(1800)])]
    if light is not None:
        forms.append(pytest.param(light, id="light", marks=[pytest.mark.slow, pytest.mark.timeout(180)]))
    return pytest.mark.parametrize("rounds", forms)
