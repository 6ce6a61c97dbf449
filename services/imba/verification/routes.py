"""Checks, as clients reach them. The queue: `GET /v1/verification-requests?status=pending`, oldest first."""

from __future__ import annotations

from freehold import Access, Queries, Resource, Schemas, owner, role, unique_while

from ..access import STAFF
from . import crud
from .models import OPEN, VerificationRequest
from .schemas import VerificationDraft, VerificationRead

LANDLORD = owner("landlord_id")
REVIEWER = role("reviewer") & ~LANDLORD
STEP = [crud.VerificationDecided, crud.ClaimedByAnother]

verification_requests = Resource(
    VerificationRequest,
    schemas=Schemas(read=VerificationRead, create=VerificationDraft),
    create=crud.submit,
    access=Access(
        read=LANDLORD | STAFF,
        create=role("landlord"),
        read_fields={"reviewer_id": STAFF, "note": STAFF, "claimed_by_id": STAFF, "claimed_until": STAFF},
    ),
    queries=Queries(
        filters=[
            "status",
            "status__in",
            "subject",
            "property_id",
            "landlord_id",
            "reviewer_id",
            "claimed_by_id",
            "claimed_until__isnull",
            "claimed_until__lt",
            "expires_on__lte",
            "created_at__lte",
        ],
        sort=["created_at"],
        facets=["status", "subject"],
    ),
    invariants=[
        unique_while(
            "subject_id",
            when=VerificationRequest.status.in_(OPEN),
            code="imba.verification_open",
            name="imba_verification_open",
        )
    ],
    problems=[crud.AlreadyVerified],
    # What identifies people does not enter the history, from which it could not go away with the documents.
    untracked=["documents", "note"],
)
verification_requests.action("claim", crud.claim, access=REVIEWER, summary="Claim for 30 minutes", problems=STEP)
verification_requests.action(
    "claim", crud.release, method="DELETE", status=204, access=REVIEWER, summary="Release", problems=STEP
)
verification_requests.action(
    "note",
    crud.annotate,
    method="PUT",
    access=REVIEWER,
    summary="Note something for the other reviewers",
    problems=STEP,
)
verification_requests.action(
    "information-request", crud.ask, access=REVIEWER, summary="Ask the landlord for more", problems=STEP
)
verification_requests.action(
    "resubmission", crud.resubmit, access=LANDLORD, summary="Answer with more documents", problems=STEP
)
verification_requests.action("approval", crud.approve, access=REVIEWER, summary="Approve", problems=STEP)
verification_requests.action("rejection", crud.reject, access=REVIEWER, summary="Reject, with a reason", problems=STEP)
verification_requests.action(
    "revocation",
    crud.revoke,
    access=REVIEWER,
    summary="Revoke an approval; what rested on it is unlisted",
    problems=STEP,
)
