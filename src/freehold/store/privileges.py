"""What the roles of a service may do in its database: the one that serves and the one that reads; the owner migrates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, make_url, text

from freehold.errors import ConfigurationError
from freehold.store.invariant_sql import DIALECTS
from freehold.store.invariants import Statement
from freehold.store.postgresql import Patience
from freehold.store.rule_text import quoted

# Neither changes nor forgets: the sealer alone writes two columns, once, and a trigger watches it.
_AUDIT: Final = "freehold_audit"
_SEALED: Final = "sequence, digest"
_VERSIONS: Final = ("alembic_version", "freehold_version")


@dataclass(frozen=True, slots=True)
class Roles:
    """The log-ins of a service. app: serves and runs jobs. reader: runs statements that carry the rule in their text.

    None for one that the owner's log-in stands for.
    """

    app: str | None = None
    reader: str | None = None

    @classmethod
    def of(cls, owner_url: str, database_url: str, reader_url: str = "") -> Roles:
        """From the URLs of the log-ins."""
        app = make_url(database_url).username
        owner = make_url(owner_url).username if owner_url else app
        reader = make_url(reader_url).username if reader_url else None
        return cls(None if app == owner else app, None if reader == owner else reader)


def login_statements(url: str, patience: Patience, *, exists: bool, shows_password: bool = True) -> Iterator[str]:
    """Make the log-in of a URL, or correct one that exists: no right but to log in to this database, and its patience.

    The limits stand with the role, so that they hold behind a pooler too.
    """
    parsed = make_url(url)
    if not parsed.username or not parsed.database:
        raise ConfigurationError("a database URL names no user or no database: postgresql://user:password@host/name")
    dialect = DIALECTS["postgresql"].identifier_preparer
    role, database = dialect.quote(parsed.username), dialect.quote(parsed.database)
    password = ""
    if parsed.password:
        password = f" PASSWORD {quoted(str(parsed.password) if shows_password else '...')}"
    # The other attributes of a role that exists are for a superuser to take back; the start tells of one that policies
    # do not apply to.
    rights = "" if exists else " NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"
    yield f"{'ALTER' if exists else 'CREATE'} ROLE {role} LOGIN{rights}{password}"
    for name, value in {**patience.settings, "timezone": "UTC", "jit": "off"}.items():
        yield f"ALTER ROLE {role} IN DATABASE {database} SET {name} = {quoted(value)}"
    yield f"GRANT CONNECT ON DATABASE {database} TO {role}"


def grant(connection: Connection, roles: Roles) -> None:
    """Give the roles what they need in this schema, and take back everything else. For the owner of the tables."""
    for statement in _statements(connection, roles):
        connection.execute(Statement(statement))


def _statements(connection: Connection, roles: Roles) -> Iterator[str]:
    quote = DIALECTS["postgresql"].identifier_preparer.quote
    schema = quote(str(connection.scalar(text("SELECT current_schema()"))))
    there = set(connection.execute(text("SELECT relname FROM pg_class WHERE pg_table_is_visible(oid)")).scalars())
    for role in map(quote, filter(None, (roles.app, roles.reader))):
        yield f"GRANT USAGE ON SCHEMA {schema} TO {role}"
        yield f"REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {role}"
        yield f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {role}"
    if roles.app is None:
        return
    app = quote(roles.app)
    yield f"GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {app}"
    yield f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {app}"
    for name in _VERSIONS:
        if name in there:
            yield f"REVOKE INSERT, UPDATE, DELETE ON {name} FROM {app}"
    if _AUDIT in there:
        yield f"REVOKE UPDATE, DELETE ON {_AUDIT} FROM {app}"
        yield f"GRANT UPDATE ({_SEALED}) ON {_AUDIT} TO {app}"
