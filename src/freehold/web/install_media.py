"""Media for an application that was there first: one resource, its routes and jobs, on the application's own model."""

from __future__ import annotations

from fastapi import FastAPI

from freehold.media import Library, MediaHost, open_library
from freehold.store.database import Database
from freehold.web.declared import declare, keep_mounted
from freehold.web.media import media_router
from freehold.web.mounting import mount


def add_media(app: FastAPI, database: Database, host: MediaHost) -> Library:
    """Protect the model, mount its operations, open the store. The library's jobs are to be run by the caller."""
    resource = host.media.resource
    library = open_library(
        host.media, database, secret=host.secret, folder=host.folder, files_url=host.files_url
    )  # fmt: skip
    declare(database, [resource])
    mounted = mount(app.router, [resource], prefix=host.prefix, secret=host.secret.encode())
    keep_mounted(app, mounted)
    app.include_router(media_router(library, mounted, prefix=host.prefix, principals=host.principals))
    return library
