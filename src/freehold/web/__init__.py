"""HTTP: the only package that knows FastAPI. Applications, the edge, route classes, documents.

Here for path operations of one's own: `accepted` answers 202 with the address of a job, `document_response` serves a
calendar or another document, `jobs_router` gives an application that Freehold was installed in the routes of its jobs.
"""

from freehold.web.documents import document_response
from freehold.web.jobs import accepted, jobs_router

__all__ = ["accepted", "document_response", "jobs_router"]
