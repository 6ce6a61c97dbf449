"""Those who call: registered with Freehold, known to the peers by tokens of theirs."""

from __future__ import annotations

import base64
import hmac
import json
import time
from dataclasses import dataclass

import httpx2
from bench.versus.serving import SECRET, Served

CALLERS = 8
PASSWORD = "lantern quarry velvet 42"  # noqa: S105  # of people who are made up
_HOURS = 12


@dataclass(frozen=True, slots=True)
class Callers:
    """Their tokens, of Freehold and of the peers, in one order."""

    ours: list[str]
    peers: list[str]


def register(server: Served) -> Callers:
    """Register callers with a Freehold that serves, and log them in."""
    ours, peers = [], []
    with httpx2.Client(base_url=server.url) as client:
        for number in range(CALLERS):
            email = f"caller{number}@example.com"
            draft = {"email": email, "password": PASSWORD, "full_name": f"Caller {number}"}
            made = client.post("/v1/users", json=draft)
            assert made.status_code == 201, made.text
            form = {"grant_type": "password", "username": email, "password": PASSWORD}
            got = client.post("/v1/auth/token", data=form)
            assert got.status_code == 200, got.text
            ours.append(got.json()["access_token"])
            peers.append(_token(made.json()["id"]))
    return Callers(ours, peers)


def _token(subject: str) -> str:
    """A JWT of RFC 7519, signed with HS256."""
    parts = [{"alg": "HS256", "typ": "JWT"}, {"sub": subject, "exp": int(time.time()) + _HOURS * 3600}]
    signed = b".".join(_encoded(json.dumps(part, separators=(",", ":")).encode()) for part in parts)
    return (signed + b"." + _encoded(hmac.digest(SECRET.encode(), signed, "sha256"))).decode()


def _encoded(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")
