"""Freehold's own settings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, ByteSize, Field, SecretStr, model_validator

from freehold.settings.base import Environment, ServiceSettings, by_environment
from freehold.settings.broker import checked_broker_url
from freehold.settings.checks import faults_of_settings
from freehold.settings.login import client_pair, issuers
from freehold.settings.redis import checked_redis_url
from freehold.settings.secret import development_secret
from freehold.settings.smtp import mail_server_url
from freehold.settings.values import (
    async_database_url,
    comma_list,
    database_host,
    lower,
    network,
    plain_host,
    plain_limits,
    plain_origin,
    postgresql_url,
    receiver,
    store_url,
    web_url,
)

DatabaseUrl = Annotated[str, BeforeValidator(postgresql_url)]
Switch = Annotated[Literal["auto", "on", "off"], BeforeValidator(lower)]
Hosts = Annotated[tuple[Annotated[str, BeforeValidator(plain_host)], ...], BeforeValidator(comma_list)]
Replicas = Annotated[tuple[Annotated[str, BeforeValidator(database_host)], ...], BeforeValidator(comma_list)]
Origins = Annotated[tuple[Annotated[str, BeforeValidator(plain_origin)], ...], BeforeValidator(comma_list)]
Receivers = Annotated[tuple[Annotated[str, BeforeValidator(receiver)], ...], BeforeValidator(comma_list)]
Networks = Annotated[tuple[Annotated[str, BeforeValidator(network)], ...], BeforeValidator(comma_list)]


class Settings(ServiceSettings, prefix="FREEHOLD_"):
    """Everything that Freehold can be told from outside. `Settings.load()` reads it; see ServiceSettings.

    Made by hand, `secret` must be given; `load` makes one for development and test and keeps it in `var_dir`.
    """

    let_through: ClassVar[tuple[str, ...]] = (
        "FREEHOLD_REQUIRE_SERVICES",
        "FREEHOLD_TEST_*",
        "FREEHOLD_COPY_TO",
        "FREEHOLD_COPY_FILES_TO",
        "FREEHOLD_BACKUP_PASSPHRASE",
    )

    var_dir: Path = Field(
        Path("var"), description="The folder for what an embedded service keeps: database, secret, mail, files."
    )
    database_url: Annotated[str, BeforeValidator(async_database_url)] = Field(
        default_factory=lambda given: (
            f"sqlite+aiosqlite:///{given['var_dir']}/freehold.db" if "var_dir" in given else ""
        ),
        repr=False,
        description="sqlite:///path or postgresql://user:password@host/name. Default: SQLite in the var folder.",
    )
    owner_url: DatabaseUrl = Field(
        "",
        repr=False,
        description="The log-in that owns the tables; `freehold migrate` uses it. Default: the database URL.",
    )
    reader_url: DatabaseUrl = Field(
        "",
        repr=False,
        description="A log-in that only reads, for the service's own planned reads. Default: the database URL.",
    )
    replicas: Replicas = Field(
        (),
        description="Streaming replicas (host:port, by comma) that reads may go to, by the same log-ins. They need Redis.",
    )
    pool_size: int = Field(10, ge=1, le=1000, description="Connections to PostgreSQL that each process holds at most.")
    pooler: Annotated[Literal["none", "transaction"], BeforeValidator(lower)] = Field(
        "none",
        description="transaction: a pooler such as PgBouncer stands between, and lends connections by transaction.",
    )
    statement_timeout_seconds: float = Field(
        30.0, gt=0, le=3600, allow_inf_nan=False, description="PostgreSQL gives up a statement that takes longer: 503."
    )
    lock_timeout_seconds: float = Field(
        5.0, gt=0, le=3600, allow_inf_nan=False, description="PostgreSQL gives up waiting for a lock after that: 503."
    )
    start_seconds: float = Field(
        30.0,
        ge=0,
        le=3600,
        allow_inf_nan=False,
        description="So long a start waits for PostgreSQL, which may be starting too.",
    )
    redis_url: Annotated[str, BeforeValidator(checked_redis_url)] = Field(
        "",
        repr=False,
        description="redis://user:password@host:6379/0, rediss://…, unix://…: Redis or Valkey, which processes share. Default: none.",
    )
    broker_url: Annotated[str, BeforeValidator(checked_broker_url)] = Field(
        "",
        repr=False,
        description="nats://host:4222, amqp://…, redis://… or postgresql://…: wakes workers at once. Default: Redis, where there is one.",
    )
    jobs: Annotated[Literal["inside", "apart"], BeforeValidator(lower)] = Field(
        "inside",
        description="inside: the processes that serve run the jobs too. apart: processes of `freehold worker` do, and those alone.",
    )
    files_url: Annotated[str, BeforeValidator(store_url)] = Field(
        "",
        repr=False,
        description="s3://bucket/prefix, gs://…, az://…: where uploads are kept. Default: the var folder.",
    )
    smtp_url: Annotated[str, BeforeValidator(mail_server_url)] = Field(
        "",
        repr=False,
        description="smtp://user:password@host:587 (STARTTLS) or smtps://…:465: how mail leaves. Default: files in the var folder.",
    )
    mail_from: str = Field(
        "",
        description="Name <no-reply@example.com>: the sender of mails. Default: the service's name at the public URL's host.",
    )
    public_url: Annotated[str, BeforeValidator(web_url)] = Field(
        "http://127.0.0.1:8000", description="How clients reach the service; links in mails are built from it."
    )
    hosts: Hosts = Field(
        (),
        description="Host names that are answered, by comma; *.example.com for all below. The public URL's is one.",
    )
    secret: SecretStr | None = Field(
        None, description="Signs and seals; at least 32 random bytes. Made and kept in the var folder in development."
    )
    workers: int = Field(
        1, ge=1, le=256, description="Processes. More than one needs PostgreSQL, or Redis beside SQLite."
    )
    limits: Annotated[str, BeforeValidator(plain_limits)] = Field(
        "on", description="Rate limits: on, off, or x<N> for N times as many. Production takes on alone."
    )
    allowed_receivers: Receivers = Field(
        (),
        description="Hosts (name or name:port, by comma) of this network that addresses of users may lead to. For development.",
    )
    trusted_proxies: Networks = Field(
        (),
        description="Networks (CIDR, by comma) of proxies whose forwarding headers are believed; unix: those on a Unix socket.",
    )
    cors_origins: Origins = Field(
        (), description="Origins (by comma) whose pages may call the service; * for any, outside production."
    )
    body_limit: ByteSize = Field(
        ByteSize(1024 * 1024), ge=1024, description="Largest request body: bytes, or with a unit (512KiB, 2MiB)."
    )
    cache_limit: ByteSize = Field(
        ByteSize(32 * 1024 * 1024),
        ge=0,
        description="Memory for kept answers: bytes, or with a unit (64MiB); 0 keeps none, and so do several workers without Redis.",
    )
    deadline_seconds: float = Field(
        30.0, gt=0, le=3600, allow_inf_nan=False, description="A request that takes longer is given up with 503."
    )
    drain_seconds: float = by_environment(
        production=5.0,
        otherwise=0.0,
        ge=0,
        le=600,
        description="So long after a SIGTERM it is served on, no longer ready, for a proxy to notice.",
    )
    in_flight_limit: int = Field(
        200, ge=1, description="Requests that a process works on at once at most; past it 503. Overload lowers it."
    )
    conceal_accounts: bool = Field(
        False, description="Registering a taken e-mail answers 202 as for a free one, and tells the owner by mail."
    )
    login_google: Annotated[str, BeforeValidator(client_pair)] = Field(
        "", repr=False, description="client_id:client_secret, as Google knows the service: people may log in by it."
    )
    login_github: Annotated[str, BeforeValidator(client_pair)] = Field(
        "", repr=False, description="client_id:client_secret, as GitHub knows the service: people may log in by it."
    )
    login_oidc: Annotated[str, BeforeValidator(issuers)] = Field(
        "",
        repr=False,
        description="name=https://client_id:client_secret@issuer.example/path, by comma: other issuers of OpenID Connect to log in by.",
    )
    geoip_file: Path | None = Field(
        None,
        description="A MaxMind database (.mmdb) of places, for the list of one's log-ins. Default: none, all unknown.",
    )
    log_format: Annotated[Literal["auto", "console", "json"], BeforeValidator(lower)] = Field(
        "auto", description="auto: json in production, console elsewhere."
    )
    log_level: Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(lower)] = Field(
        "info", description="The least severe record that is written."
    )
    debug: bool = Field(False, description="More detail in the log for developers. Refused in production.")
    compiled: Annotated[Literal["on", "off"], BeforeValidator(lower)] = Field(
        "on",
        description="off: reads of resources go through FastAPI's router and SQLAlchemy's connections. Same answers, slower.",
    )
    blocking_ms: int = Field(
        100,
        ge=0,
        le=60_000,
        description="In development the log names lines that hold up the event loop for so many milliseconds; 0: none.",
    )
    docs: Switch = Field("auto", description="/docs, /redoc and /openapi.json. auto: off in production.")
    metrics: Switch = Field("auto", description="/metrics. auto: off in production.")

    @property
    def is_production(self) -> bool:
        """Do the strict defaults apply?"""
        return self.env is Environment.PRODUCTION

    @property
    def is_alone(self) -> bool:
        """Does one process do everything, so that nothing in its memory has to be shared?"""
        return self.workers == 1 and self.jobs == "inside"

    @property
    def may_overlap(self) -> bool:
        """May two of it serve at once for a while? Not where a process answers from what it alone remembers."""
        return bool(self.redis_url) or not self.is_alone

    @property
    def tables_url(self) -> str:
        """The log-in that owns the tables and sees all rows: for migrations, copies and backups."""
        return self.owner_url or self.database_url

    @property
    def secret_value(self) -> str:
        """The secret in the clear, for those who derive keys from it. Never log it."""
        assert self.secret is not None  # `_hold_together` saw to it
        return self.secret.get_secret_value()

    @property
    def limit_factor(self) -> int | None:
        """Quotas are multiplied by it; None where there are none."""
        return {"on": 1, "off": None}.get(self.limits) if self.limits in ("on", "off") else int(self.limits[1:])

    @property
    def docs_enabled(self) -> bool:
        """Are the documents served?"""
        return self.docs == "on" or (self.docs == "auto" and not self.is_production)

    @property
    def metrics_enabled(self) -> bool:
        """Is /metrics served?"""
        return self.metrics == "on" or (self.metrics == "auto" and not self.is_production)

    @property
    def json_logs(self) -> bool:
        """One JSON object a line, or lines for people?"""
        return self.log_format == "json" or (self.log_format == "auto" and self.is_production)

    @model_validator(mode="after")
    def _hold_together(self) -> Self:
        found = faults_of_settings(self)
        if found:
            raise ValueError("\n".join(found))
        return self

    @classmethod
    def complete(cls, given: dict[str, Any], environ: Mapping[str, str]) -> dict[str, Any]:
        """Make a secret for development and test."""
        given["var_dir"] = Path(given.get("var_dir", "var")).expanduser().absolute()
        if "secret" not in given and given.get("env", "development") in ("development", "test"):
            given["secret"] = development_secret(given["var_dir"])
        return given
