"""The two ceremonies of WebAuthn L3 (7.1, 7.2), by py_webauthn: what a browser is asked for, and whether its answer is good.

The library takes long to import, so this module is imported when the first passkey is met.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.authentication.verify_authentication_response import VerifiedAuthentication
from webauthn.helpers import base64url_to_bytes, options_to_json_dict, parse_client_data_json
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)
from webauthn.registration.verify_registration_response import VerifiedRegistration

from freehold.identity.factors.challenges import LIFETIME

Credential = dict[str, Any]
_MILLISECONDS: Final = int(LIFETIME.total_seconds() * 1000)


def registration_options(
    rp_id: str, rp_name: str, user: Any, *, challenge: bytes, held: Sequence[Any]
) -> dict[str, Any]:
    """To make one: discoverable where the device can, without attestation, and not beside one of the same account."""
    return options_to_json_dict(
        generate_registration_options(
            rp_id=rp_id,
            rp_name=rp_name,
            user_id=user.id.bytes,
            user_name=user.email,
            user_display_name=user.full_name or user.email,
            challenge=challenge,
            timeout=_MILLISECONDS,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.PREFERRED,
                user_verification=UserVerificationRequirement.PREFERRED,
            ),
            exclude_credentials=_descriptors(held),
        )
    )


def login_options(rp_id: str, *, challenge: bytes, held: Sequence[Any], is_alone: bool) -> dict[str, Any]:
    """To log in. is_alone: the passkey is the only proof, and has to know its user (a PIN, a finger)."""
    wanted = UserVerificationRequirement.REQUIRED if is_alone else UserVerificationRequirement.PREFERRED
    return options_to_json_dict(
        generate_authentication_options(
            rp_id=rp_id,
            challenge=challenge,
            timeout=_MILLISECONDS,
            allow_credentials=_descriptors(held),
            user_verification=wanted,
        )
    )


def _descriptors(held: Sequence[Any]) -> list[PublicKeyCredentialDescriptor]:
    return [
        PublicKeyCredentialDescriptor(
            id=row.credential_id,
            transports=[AuthenticatorTransport(each) for each in row.transports.split()] or None,
        )
        for row in held
    ]


def registered(credential: Credential, *, challenge: bytes, rp_id: str, origin: str) -> VerifiedRegistration | None:
    """A new passkey, whether or not it knows its user. None for one that is not good, for whatever reason."""
    try:
        _refuse_frames(credential)
        return verify_registration_response(
            credential=credential, expected_challenge=challenge, expected_rp_id=rp_id, expected_origin=origin
        )
    except Exception:  # noqa: BLE001 (foreign bytes through CBOR, COSE and X.509: whatever is wrong is a refusal)
        return None


def verified(
    credential: Credential, row: Any, *, challenge: bytes, rp_id: str, origin: str, knows_user: bool
) -> VerifiedAuthentication | None:
    """The answer of the passkey of `row`. knows_user: it has to (UV). None for one that is not good, for whatever reason."""
    try:
        _refuse_frames(credential)
        handle = credential["response"].get("userHandle")
        if handle is not None and base64url_to_bytes(handle) != row.user_id.bytes:
            return None
        return verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=rp_id,
            expected_origin=origin,
            credential_public_key=row.public_key,
            credential_current_sign_count=0,  # compared by us, who also write down that it went back
            require_user_verification=knows_user,
        )
    except Exception:  # noqa: BLE001 (as above)
        return None


def _refuse_frames(credential: Credential) -> None:
    """A page inside another site's frame is no place to log in to ours (crossOrigin)."""
    client = parse_client_data_json(base64url_to_bytes(credential["response"]["clientDataJSON"]))
    if client.cross_origin:
        raise ValueError("inside a frame of another origin")
