"""Checks, as clients reach them."""

from __future__ import annotations

from freehold import Access, Queries, Resource, Schemas, owner, role, unique_while

from . import crud
from .models import VerificationRequest
from .schemas import VerificationDraft, VerificationRead

STAFF = role("reviewer", "admin")
REVIEWER = role("reviewer") & ~owner("landlord_id")

verification_requests = Resource(
    VerificationRequest,
    schemas=Schemas(read=VerificationRead, create=VerificationDraft),
    create=crud.submit,
    access=Access(
        read=owner("landlord_id") | STAFF,
        create=role("landlord"),
        read_fields={"reviewer_id": STAFF},
    ),
    queries=Queries(filters=["status", "subject", "property_id", "landlord_id"], sort=["created_at"]),
    invariants=[
        unique_while(
            "subject_id",
            when=VerificationRequest.status.in_(("pending", "approved")),
            code="imba.verification_open",
            name="imba_verification_open",
        )
    ],
    problems=[crud.AlreadyVerified],
)
verification_requests.action(
    "approval", crud.approve, access=REVIEWER, summary="Approve", problems=[crud.VerificationDecided]
)
verification_requests.action(
    "rejection", crud.reject, access=REVIEWER, summary="Reject, with a reason", problems=[crud.VerificationDecided]
)
verification_requests.action(
    "revocation",
    crud.revoke,
    access=REVIEWER,
    summary="Revoke an approval; what rested on it is unlisted",
    problems=[crud.VerificationDecided],
)
