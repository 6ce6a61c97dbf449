"""Files that people upload: taken in under limits, told by their content, kept in a store, shown in variants.

Here belong the declaration, the port to the store with its forms, the worker that opens pictures, quotas, galleries,
uploads in pieces and the jobs. The path operations are in `web`. Needs `pip install "freehold[media]"`.
"""

from freehold.media.adding import add
from freehold.media.addresses import AddressRefused, Signer
from freehold.media.declaration import DOCUMENTS, PICTURES, VIDEOS, Media, MediaQuota, Purpose
from freehold.media.files import Files, Stored
from freehold.media.hosting import MediaHost
from freehold.media.intake import TypeRefused
from freehold.media.library import Library
from freehold.media.local_files import LocalFiles
from freehold.media.mixin import MediaMixin
from freehold.media.opening import open_files, open_library
from freehold.media.quota import QuotaReached
from freehold.media.removal import hold, redact, redact_of, release
from freehold.media.schemas import MediaForm, MediaRead, content_path

__all__ = [
    "DOCUMENTS",
    "PICTURES",
    "VIDEOS",
    "AddressRefused",
    "Files",
    "Library",
    "LocalFiles",
    "Media",
    "MediaForm",
    "MediaHost",
    "MediaMixin",
    "MediaQuota",
    "MediaRead",
    "Purpose",
    "QuotaReached",
    "Signer",
    "Stored",
    "TypeRefused",
    "add",
    "content_path",
    "hold",
    "open_files",
    "open_library",
    "redact",
    "redact_of",
    "release",
]
