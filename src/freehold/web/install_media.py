"""Media for an application that was there first: one resource, its routes and jobs, on the application's own model."""

from __future__ import annotations

from fastapi import FastAPI

from freehold.media import Library, MediaHost, open_library
from freehold.store.database import Database
from freehold.store.invariants import register
from freehold.store.trail import Trails
from freehold.web.media import media_router
from freehold.web.mounting import mount


def add_media(app: FastAPI, database: Database, host: MediaHost) -> Library:
    """Protect the model, mount its operations, open the store. The library's jobs are to be run by the caller."""
    resource = host.media.resource
    library = open_library(
        host.media, database, secret=host.secret, folder=host.folder, files_url=host.files_url
    )  # fmt: skip
    database.registry.protect(resource.model, resource.access)
    register(resource.model.__table__, resource.invariants)  # type: ignore[arg-type]
    database.parts.setdefault(Trails, Trails()).track(resource.model, resource.name, untracked=resource.untracked)
    router, mounted = mount([resource], prefix=host.prefix, secret=host.secret.encode())
    app.include_router(router)
    app.include_router(media_router(library, mounted, prefix=host.prefix, principals=host.principals))
    return library
