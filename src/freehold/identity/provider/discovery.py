"""What the provider says of itself (OpenID Connect Discovery 3, RFC 8414): one document at two addresses."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from freehold.identity.provider.authentication import METHODS
from freehold.identity.provider.clients import GRANT_TYPES
from freehold.identity.provider.keysets import ALGORITHMS
from freehold.identity.provider.scopes import CLAIMS
from freehold.identity.tokens import ALGORITHMS as SIGNED_WITH

AUTHORIZE, TOKEN, USERINFO = "/oauth/authorize", "/oauth/token", "/oauth/userinfo"
INTROSPECTION, REVOCATION = "/oauth/introspection", "/oauth/revocation"
PUSHED, DEVICE, LOG_OUT = "/oauth/pushed-requests", "/oauth/device-authorization", "/oauth/log-out"
VERIFICATION = "/oauth/device"
JWKS = "/.well-known/jwks.json"


def document(issuer: str, *, scopes: Iterable[str]) -> dict[str, Any]:
    """The metadata. issuer: the public address of the service, exactly as it stands in tokens."""
    proved = [method for method in METHODS if method != "none"]
    return {
        "issuer": issuer,
        "authorization_endpoint": issuer + AUTHORIZE,
        "token_endpoint": issuer + TOKEN,
        "userinfo_endpoint": issuer + USERINFO,
        "jwks_uri": issuer + JWKS,
        "introspection_endpoint": issuer + INTROSPECTION,
        "revocation_endpoint": issuer + REVOCATION,
        "pushed_authorization_request_endpoint": issuer + PUSHED,
        "device_authorization_endpoint": issuer + DEVICE,
        "end_session_endpoint": issuer + LOG_OUT,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": list(GRANT_TYPES),
        "code_challenge_methods_supported": ["S256"],
        "scopes_supported": sorted(scopes),
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": list(SIGNED_WITH[:1]),
        "claims_supported": sorted({"iss", "aud", "exp", "iat", "auth_time", "nonce", "sid"}.union(*CLAIMS.values())),
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "token_endpoint_auth_methods_supported": list(METHODS),
        "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
        "introspection_endpoint_auth_methods_supported": proved,
        "introspection_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
        "revocation_endpoint_auth_methods_supported": list(METHODS),
        "revocation_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
        "dpop_signing_alg_values_supported": list(ALGORITHMS),
        "authorization_response_iss_parameter_supported": True,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "claims_parameter_supported": False,
        "require_pushed_authorization_requests": False,
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
    }
