"""At the start: are the tables there, and everything that the declarations rest on?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from freehold.errors import ConfigurationError
from freehold.observe.logs import get_logger
from freehold.resource.principal import system
from freehold.settings import Environment
from freehold.store import schema

if TYPE_CHECKING:
    from freehold.web.app import Freehold

_log = get_logger("freehold.schema")


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
            _log.info("tables_created", tables=made, because="the service has no migrations; development only")
    async with app.database.reading(system("compare the schema with the declarations")) as session:
        faults = await schema.faults(session, app.all_metadata)
    if faults:
        remedy = "run `freehold migrate up`" if app.migrations else "delete the development database or add migrations"
        raise ConfigurationError("the database does not fit the declarations: " + "; ".join(faults) + f". {remedy}")
