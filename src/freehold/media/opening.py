"""Putting a library together from a declaration and the settings."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from freehold.errors import ConfigurationError
from freehold.media import sweep, work
from freehold.media.addresses import Signer
from freehold.media.at_once import AtOnce
from freehold.media.declaration import Media
from freehold.media.files import Files
from freehold.media.library import Library
from freehold.media.local_files import LocalFiles
from freehold.media.uploads import Uploads
from freehold.media.workshop import workshop
from freehold.traffic.places import MemoryPlaces, Places

if TYPE_CHECKING:
    from freehold.store.database import Database


def open_files(url: str | None, folder: Path) -> Files:
    """The store that a URL names; a folder where none is given. Raises ConfigurationError."""
    if not url:
        return LocalFiles(folder)
    _need("obstore")
    from freehold.media.object_files import ObjectFiles  # noqa: PLC0415  # needs the extra

    try:
        return ObjectFiles(url, folder=_incoming(folder))
    except Exception as error:
        raise ConfigurationError(f"FREEHOLD_FILES_URL cannot be used: {type(error).__name__}") from error


def open_library(
    media: Media,
    database: Database,
    *,
    secret: str,
    folder: Path,
    files_url: str | None = None,
    places: Places | None = None,
) -> Library:
    """Bind a declaration to an application's database and folder. Raises ConfigurationError without the extra.

    places: where uploads in progress are counted; in this process when not given.
    """
    _need("filetype")
    files = open_files(files_url, folder)
    library = Library(
        media=media,
        database=database,
        files=files,
        workshop=workshop(media.seconds, media.memory_bytes),
        signer=Signer(secret.encode()),
        folder=_incoming(folder),
        uploads=Uploads(media, files),
        at_once=AtOnce(media.uploads_at_once, places or MemoryPlaces()),
        render=work.render_job(lambda: library),
        erase=work.erase_job(lambda: library),
        sweep=sweep.sweep_job(lambda: library),
    )
    database.parts[Library] = library
    database.registry.remember(media.access.rule("create"))
    return library


def _incoming(folder: Path) -> Path:
    """Where files are that are being received or worked on. The sweep clears it."""
    return folder / "incoming"


def _need(module: str) -> None:
    if find_spec(module) is None:
        raise ConfigurationError(f'media needs {module}: pip install "freehold[media]"')
