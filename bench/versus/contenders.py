"""Who is compared, and how each is installed and started."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
PEERS = ROOT / "bench" / "peers"
ENVIRONMENTS = ROOT / "var" / "bench"

UVICORN = ("-m", "uvicorn", "app:app", "--no-access-log", "--log-level", "warning", "--port", "{port}")
GUNICORN = ("-m", "gunicorn", "-k", "gthread", "--threads", "16", "--keep-alive", "60", "--log-level", "warning")


@dataclass(frozen=True, slots=True)
class Contender:
    """One implementation. arguments: of its program, `{port}` filled in. environment: further variables."""

    name: str
    title: str
    folder: str
    arguments: tuple[str, ...] = UVICORN
    environment: Mapping[str, str] = field(default_factory=dict)
    databases: tuple[str, ...] = ("postgresql",)

    @property
    def is_ours(self) -> bool:
        """Whether it is Freehold."""
        return self.folder == "freehold_service"

    @property
    def is_node(self) -> bool:
        """Whether npm installs it."""
        return (PEERS / self.folder / "package.json").exists()

    @property
    def home(self) -> Path:
        """Where what it needs is installed."""
        return ENVIRONMENTS / self.folder

    @property
    def program(self) -> str:
        """Its interpreter."""
        if self.is_node:
            return "node"
        return sys.executable if self.is_ours else str(self.home / "venv" / "bin" / "python")

    @property
    def working_folder(self) -> Path:
        """Where it runs."""
        return ROOT if self.is_ours else self.home if self.is_node else PEERS / self.folder

    def command(self, port: int) -> list[str]:
        """What starts it."""
        return [self.program, *(each.format(port=port) for each in self.arguments)]


OURS = ("-m", "freehold.cli", "serve", "bench.peers.freehold_service.app:app", "--port", "{port}")
CONTENDERS = {
    each.name: each
    for each in (
        Contender("freehold", "Freehold, every guard on", "freehold_service", OURS, databases=("postgresql", "sqlite")),
        Contender(
            "fastapi-sqlalchemy",
            "FastAPI + SQLAlchemy async (asyncpg)",
            "fastapi_sqlalchemy",
            databases=("postgresql", "sqlite"),
        ),
        Contender(
            "sqlmodel-template", "the full-stack template's style (SQLModel, sync, psycopg)", "sqlmodel_template"
        ),
        Contender("litestar", "Litestar + advanced-alchemy", "litestar_alchemy"),
        Contender(
            "drf",
            "Django REST framework (gunicorn)",
            "django_peers",
            (*GUNICORN, "-b", "127.0.0.1:{port}", "project.wsgi"),
        ),
        Contender(
            "django-ninja",
            "django-ninja (gunicorn)",
            "django_peers",
            (*GUNICORN, "-b", "127.0.0.1:{port}", "project.wsgi"),
            {"DJANGO_SETTINGS_MODULE": "project.settings", "PEER_URLS": "project.ninja_urls"},
        ),
        Contender("starlette-asyncpg", "bare Starlette + asyncpg + orjson, SQL by hand", "starlette_asyncpg"),
        Contender("fastify", "Fastify + pg, SQL by hand", "fastify_pg", ("server.js",)),
    )
}
QUICK = ("freehold", "fastapi-sqlalchemy", "starlette-asyncpg")
