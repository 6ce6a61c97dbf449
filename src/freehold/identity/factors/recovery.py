"""Recovery codes: ten, of 80 random bits each, good once, kept as keyed hashes (NIST SP 800-63B 3.1.2)."""

from __future__ import annotations

import hmac
import os
from typing import TYPE_CHECKING, Final
from uuid import UUID

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import delete, func, insert, select

from freehold.identity.factors.tables import RECOVERY_CODES

if TYPE_CHECKING:
    from freehold.store.session import Session

HOW_MANY: Final = 10
CHARACTERS: Final = 16
# Crockford's base32: without i, l, o and u, so that a written code is read as it was meant.
_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
_MEANT: Final = str.maketrans({"i": "1", "l": "1", "o": "0", "-": None, " ": None})


class RecoveryCodes:
    """The codes of one service."""

    def __init__(self, *, secret: bytes) -> None:
        self._key = HKDF(SHA256(), 32, salt=None, info=b"freehold recovery codes").derive(secret)

    async def renew(self, session: Session, user_id: UUID) -> list[str]:
        """Ten new codes, shown this once; the old ones are dead."""
        await session.execute(delete(RECOVERY_CODES).where(RECOVERY_CODES.c.user_id == user_id))
        codes = [_new() for _ in range(HOW_MANY)]
        rows = [{"code_hash": self._hash(user_id, code), "user_id": user_id} for code in codes]
        await session.execute(insert(RECOVERY_CODES), rows)
        return codes

    async def use(self, session: Session, user_id: UUID, code: str) -> bool:
        """Use a code up: of many who bring it at once, one succeeds."""
        columns = RECOVERY_CODES.c
        used = await session.execute(
            delete(RECOVERY_CODES)
            .where(columns.code_hash == self._hash(user_id, code), columns.user_id == user_id)
            .returning(columns.user_id)
        )
        return used.first() is not None

    async def left(self, session: Session, user_id: UUID) -> int:
        """How many are good still."""
        counted = select(func.count()).select_from(RECOVERY_CODES).where(RECOVERY_CODES.c.user_id == user_id)
        return int(await session.scalar(counted) or 0)

    def _hash(self, user_id: UUID, code: str) -> bytes:
        meant = code.strip().lower().translate(_MEANT).encode("utf-8", "surrogatepass")
        return hmac.digest(self._key, user_id.bytes + meant, "sha256")


def _new() -> str:
    # 256 is a whole multiple of 32: no letter is likelier than another.
    text = "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in os.urandom(CHARACTERS))
    return "-".join(text[start : start + 4] for start in range(0, CHARACTERS, 4))
