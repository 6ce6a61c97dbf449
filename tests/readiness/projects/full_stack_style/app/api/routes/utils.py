from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic.networks import EmailStr

from app.api.deps import get_current_active_superuser
from app.schemas import Message
from app.utils import send_email

router = APIRouter(prefix="/utils", tags=["utils"])


@router.post("/test-email/", dependencies=[Depends(get_current_active_superuser)], status_code=201)
def test_email(email_to: Annotated[EmailStr, Query(max_length=255)]) -> Message:
    """
    Test emails.
    """
    send_email(email_to=email_to, subject="Test")
    return Message(message="Test email sent")


@router.get("/health-check/")
async def health_check() -> bool:
    return True
