"""Reports, as those who make them and moderators reach them. The queue: `GET /v1/reports?status=open`, oldest first."""

from __future__ import annotations

from freehold import Access, Queries, Resource, Schemas, owner, signed_in, unique_while

from ..access import STAFF
from . import crud
from .models import Report
from .schemas import ReportDraft, ReportRead

OWN = owner("reporter_id")
PARTICIPANT = owner("thread.tenant_id") | owner("thread.landlord_id")
MODERATOR = STAFF & ~PARTICIPANT

reports = Resource(
    Report,
    schemas=Schemas(read=ReportRead, create=ReportDraft),
    create=crud.report,
    access=Access(
        read=OWN | MODERATOR,
        create=signed_in & OWN & PARTICIPANT,
        read_fields={"decision": MODERATOR, "moderator_id": MODERATOR},
    ),
    queries=Queries(filters=["status", "reason", "thread_id"], sort=["created_at"], facets=["status", "reason"]),
    invariants=[
        unique_while(
            "reporter_id", "thread_id", when=Report.status == "open", code="imba.reported", name="imba_reported"
        )
    ],
    owner="reporter_id",
    untracked=["text", "decision"],
)
reports.action(
    "upholding", crud.uphold, access=MODERATOR, summary="Find it right, and act", problems=[crud.ReportDecided]
)
reports.action("dismissal", crud.dismiss, access=MODERATOR, summary="Find nothing in it", problems=[crud.ReportDecided])
