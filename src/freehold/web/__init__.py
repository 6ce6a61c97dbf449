"""HTTP: the only package that knows FastAPI. Applications, the edge, route classes, documents.

Here for path operations of one's own: `accepted` answers 202 with the address of a job, `document_response` serves a
calendar or another document, `jobs_router` gives an application that Freehold was installed in the routes of its jobs;
`key_in_path` reads the key of a row in a path; `EdgeOptions` is what `install(edge=…)` takes; `Seen` is what `Resource.on_read` tells, `Resources` what `install` takes of resources, `Wsgi` puts a WSGI application
behind the guards, `receive` takes webhooks of others.
"""

from freehold.web.documents import document_response
from freehold.web.edge_options import EdgeOptions
from freehold.web.install_resources import Resources
from freehold.web.jobs import accepted, jobs_router
from freehold.web.path_keys import key_in_path
from freehold.web.reads import Seen
from freehold.web.receiving import receive
from freehold.web.wsgi import Wsgi

__all__ = [
    "EdgeOptions",
    "Resources",
    "Seen",
    "Wsgi",
    "accepted",
    "document_response",
    "jobs_router",
    "key_in_path",
    "receive",
]
