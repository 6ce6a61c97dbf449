"""`MediaHost`: what stands in for Freehold's settings where an application has none."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from freehold.jobs import Principals
from freehold.media.declaration import Media


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaHost:
    """What `Media` needs beside its declaration, where no settings of Freehold's say it.

    folder: of this application alone, for files and for what is being received. secret: signs addresses and cursors;
    keep it as long as they shall be good. files_url: an object store in place of the folder. prefix: above `/media` and
    `/uploads`. principals: from an id to its caller, for signed addresses; without it their holder has no roles.
    """

    media: Media
    folder: Path
    secret: str
    files_url: str | None = None
    prefix: str = "/v1"
    principals: Principals | None = None
