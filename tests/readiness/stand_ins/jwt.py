"""The names of PyJWT that the projects import. The audit imports them and calls nothing."""

from typing import Any


class InvalidTokenError(Exception):
    pass


class ExpiredSignatureError(InvalidTokenError):
    pass


def encode(payload: dict[str, Any], key: str, algorithm: str) -> str:
    raise NotImplementedError


def decode(token: str, key: str, algorithms: list[str]) -> dict[str, Any]:
    raise NotImplementedError
