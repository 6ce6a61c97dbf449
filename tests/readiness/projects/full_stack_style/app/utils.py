import logging
from datetime import datetime, timedelta, timezone

import jwt
from jwt import InvalidTokenError

from app.core import security
from app.core.config import settings

logger = logging.getLogger(__name__)


def send_email(*, email_to: str, subject: str = "") -> None:
    if not settings.EMAILS_FROM_EMAIL:
        logger.warning("no sender is set; a letter to one address was not sent")
        return
    logger.info("send email result: %s", subject)


def generate_password_reset_token(email: str) -> str:
    delta = timedelta(hours=settings.EMAIL_RESET_TOKEN_EXPIRE_HOURS)
    now = datetime.now(timezone.utc)
    expires = now + delta
    exp = expires.timestamp()
    encoded_jwt = jwt.encode(
        {"exp": exp, "nbf": now, "sub": email},
        settings.SECRET_KEY,
        algorithm=security.ALGORITHM,
    )
    return encoded_jwt


def verify_password_reset_token(token: str) -> str | None:
    try:
        decoded_token = jwt.decode(token, settings.SECRET_KEY, algorithms=[security.ALGORITHM])
        return str(decoded_token["sub"])
    except InvalidTokenError:
        return None
