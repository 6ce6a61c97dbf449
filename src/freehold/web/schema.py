"""At the start: are the tables there, and everything that the declarations rest on?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from freehold.errors import ConfigurationError
from freehold.observe.logs import get_logger
from freehold.resource.principal import system
from freehold.settings import Environment, Settings
from freehold.store import policies, postgresql, schema
from freehold.store.database import Database
from freehold.store.postgresql import Patience
from freehold.store.privileges import Roles

if TYPE_CHECKING:
    from freehold.web.app import Freehold

_log = get_logger("freehold.schema")
_NO_WALL = "the log-in of FREEHOLD_DATABASE_URL is a superuser or owns the tables: no policy applies to it"
_OWN_LOG_IN = 'give the service a log-in of its own: `freehold roles` makes it, see "Row-level security"'


def open_database(given: Settings) -> Database:
    """The database that the settings name; nothing connects yet."""
    found = Database.open(
        given.database_url, pool_size=given.pool_size, patience=patience_of(given), reader_url=given.reader_url
    )
    found.has_read_path = given.compiled == "on"
    return found


def patience_of(given: Settings) -> Patience:
    """How long statements run and wait, as the settings have it."""
    pooled = given.pooler == "transaction"
    return Patience(given.statement_timeout_seconds, given.lock_timeout_seconds, pooled=pooled)


def tell_of_waiting(line: str) -> None:
    """In the log, while a start waits for the database."""
    _log.warning("not_started_yet", because=line)


async def prepare_schema(app: Freehold) -> None:
    """Create what is missing in development (and say so); refuse to start on a schema that cannot keep its promises."""
    if app.migrations is None:
        if app.settings.env is Environment.PRODUCTION:
            raise ConfigurationError(
                "this service has no migrations, and FREEHOLD_ENV=production does not create tables by itself: "
                'run `freehold migrate make "first"` and give Freehold(migrations="migrations")'
            )
        made = await schema.create_missing(app.database, app.all_metadata)
        if made:
            own = [name for name in made if not name.startswith("freehold_")]
            _log.info(
                "tables_created",
                tables=own,
                of_freehold=len(made) - len(own),
                because="the service has no migrations; development only",
            )
    async with app.database.reading(system("compare the schema with the declarations")) as session:
        faults = await schema.faults(session, app.all_metadata)
    if faults:
        raise ConfigurationError(f"the database does not fit the declarations: {'; '.join(faults)}. {_remedy(app)}")
    await _prepare_walls(app)
    await _tell_of_pools(app)


def _remedy(app: Freehold) -> str:
    """What somebody does about a database that does not fit."""
    if app.migrations is not None:
        return "Run `freehold migrate up`"
    file = app.database.engine.url.database if app.database.dialect_name == "sqlite" else None
    begin = f"delete {file}" if file else "empty the database"
    return f"To keep the rows, add migrations (`freehold migrate make`); to begin anew, {begin}"


async def _tell_of_pools(app: Freehold) -> None:
    """Say at the start what the pools of all processes may ask of the server, and when that is more than it has."""
    given = app.settings
    if app.database.dialect_name != "postgresql" or given.pooler != "none":
        return
    pools = 2 if given.reader_url else 1
    wanted = given.workers * given.pool_size * pools
    async with app.database.engine.connect() as connection:
        offered = await postgresql.room(connection)
    tell = _log.warning if wanted > offered else _log.info
    remedy = "lower FREEHOLD_POOL_SIZE, raise max_connections, or put a pooler between (FREEHOLD_POOLER=transaction)"
    tell(
        "connections_to_postgresql",
        at_most=wanted,
        made_of=f"{given.workers} workers x {given.pool_size} connections x {pools} log-ins",
        server_has=offered,
        **({"remedy": remedy} if wanted > offered else {}),
    )


async def wall_is_missing(app: Freehold) -> str | None:
    """The sentence for a service in production whose log-in policies do not apply to; opens its database and closes it.

    A start tells of it in the log and goes on: one log-in is how a service begins, and the compiler's rules hold.
    """
    if not app.settings.is_production or app.database.dialect_name != "postgresql":
        return None
    try:
        await app.database.start()
        return None if app.database.is_behind_wall else f"row-level security is off: {_NO_WALL}. {_OWN_LOG_IN}"
    finally:
        await app.database.close()


async def _prepare_walls(app: Freehold) -> None:
    """Refuse to serve behind row-level security that is not what is declared; tell in production where there is none."""
    database, given = app.database, app.settings
    await database.put_up_wall()
    if database.dialect_name != "postgresql" or not (database.is_behind_wall or given.is_production):
        return
    if not database.is_behind_wall:
        _log.warning("row_level_security_is_off", because=_NO_WALL, remedy=_OWN_LOG_IN)
        return
    reader = Roles.of(given.owner_url, given.database_url, given.reader_url).reader
    async with database.reading(system("compare the policies with the rules")) as session:
        connection = await session.connection()
        found = await connection.run_sync(lambda each: policies.drift(each, database.registry, reader=reader))
    if found:
        told = "; ".join(f"{name} {fault}" for name, fault in found.items())
        raise ConfigurationError(f"row-level security does not stand as declared: {told}. run `freehold migrate up`")
