"""What clients send and get about second factors. Names are stable: pages and apps are written against them."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from freehold.web.identity_tokens import NO_STORE, TokenRead

_LONGEST_CREDENTIAL = 65_536


def _short_enough(credential: dict[str, Any]) -> dict[str, Any]:
    """Before anything in it is decoded. An attestation is the longest part, and ours are empty."""
    response = credential.get("response")
    parts = [*credential.values(), *(response.values() if isinstance(response, dict) else ())]
    if sum(len(part) for part in parts if isinstance(part, str)) > _LONGEST_CREDENTIAL:
        raise ValueError(f"must be shorter than {_LONGEST_CREDENTIAL} characters")
    return credential


Code = Annotated[str, Field(min_length=1, max_length=64, examples=["492039"])]
FactorName = Annotated[str, Field(max_length=60, pattern=r"^[^\x00-\x1f\x7f]*$", examples=["my phone"])]
Credential = Annotated[
    dict[str, Any],
    AfterValidator(_short_enough),
    Field(max_length=20, description="A PublicKeyCredential in its JSON form (WebAuthn L3 5.1, `toJSON()`)."),
]


class Named(BaseModel, extra="forbid"):
    """What the owner calls the factor."""

    name: FactorName = ""


class NewPasskey(Named):
    """What `navigator.credentials.create()` gave, in its JSON form."""

    credential: Credential


class FirstCode(BaseModel, extra="forbid"):
    """The first code of a new secret."""

    code: Code


class StepToken(BaseModel, extra="forbid"):
    """The step token of the `auth.factor_required` answer."""

    step_token: str = Field(max_length=128)


class StepProof(StepToken):
    """browser_session: log in by cookie, as `/v1/auth/browser-session` does, instead of by tokens."""

    browser_session: bool = False


class StepCode(StepProof):
    """A step token and a code."""

    code: Code


class StepName(StepToken):
    """A step token, and what the owner calls the new factor."""

    name: FactorName = ""


class StepCredential(StepProof):
    """A step token and what `navigator.credentials.get()` gave, in its JSON form."""

    credential: Credential


class StepPasskey(StepName, StepProof):
    """A step token and what `navigator.credentials.create()` gave, in its JSON form."""

    credential: Credential


class MaybeStep(BaseModel, extra="forbid"):
    """The step token of a log-in by password, or none for a log-in by passkey alone."""

    step_token: str | None = Field(None, max_length=128)


class _Answer(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class FactorRead(_Answer):
    """A second factor. kind: `totp` or `passkey`."""

    id: UUID
    kind: str
    name: str
    created_at: datetime
    last_used_at: datetime | None


class FactorList(_Answer):
    """All second factors of an account; there is one page."""

    items: list[FactorRead]
    next_cursor: str | None = None
    is_required: bool
    recovery_codes_left: int


class TotpRead(_Answer):
    """A new secret, shown this once. uri: for a QR code."""

    id: UUID
    secret: str
    uri: str


class CodesRead(_Answer):
    """Recovery codes, shown this once; empty where there are some already."""

    recovery_codes: list[str]


class FactorAdded(CodesRead):
    """A new passkey."""

    id: UUID


class PasskeyQuestion(_Answer):
    """public_key: for `PublicKeyCredential.parse…OptionsFromJSON()`."""

    public_key: dict[str, Any]


class StepQuestion(PasskeyQuestion):
    """A question of a log-in, and the step token that its answer is sent with."""

    step_token: str


class StepRead(_Answer):
    """How an open log-in is made stronger: prove one of `factors` with the step token."""

    step_token: str
    expires_in: int
    factors: list[str]


class EnrolledRead(TokenRead):
    """The tokens of a log-in that has set up its first factor."""

    recovery_codes: list[str]


class AccessRead(BaseModel):
    """A new access token for a log-in that goes on; its refresh token stays as it is."""

    access_token: str
    token_type: str = "Bearer"  # noqa: S105 (its name, not its value)
    expires_in: int
    scope: str


def answered(body: BaseModel, status: int = 200) -> Response:
    """An answer that nobody keeps."""
    return Response(body.model_dump_json().encode(), status, headers=NO_STORE, media_type="application/json")


__all__ = [
    "NO_STORE",
    "AccessRead",
    "Code",
    "CodesRead",
    "Credential",
    "EnrolledRead",
    "FactorAdded",
    "FactorList",
    "FactorName",
    "FactorRead",
    "FirstCode",
    "MaybeStep",
    "Named",
    "NewPasskey",
    "PasskeyQuestion",
    "StepCode",
    "StepCredential",
    "StepName",
    "StepPasskey",
    "StepProof",
    "StepQuestion",
    "StepRead",
    "StepToken",
    "TotpRead",
    "answered",
]
