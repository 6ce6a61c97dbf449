"""The registration page where everyone has a second factor: a short password will do, as at `POST /v1/users` (A02)."""

from __future__ import annotations

import pytest

from freehold import Freehold
from tests.web.pages.service import application
from tests.web.pages.visitor import Visitor

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def app(module_database: str, tmp_path_factory: pytest.TempPathFactory) -> Freehold:
    return application(module_database, tmp_path_factory.mktemp("var"), factor_required_for="everyone")


async def test_A02_the_page_takes_a_short_password_and_says_how_short(visitor: Visitor) -> None:
    await visitor.open("/account/registration")
    assert "At least 8 characters" in visitor.page.text
    given = {"full_name": "Ada", "email": "ada@example.com", "kind": "writer"}
    await visitor.fill_in("/account/registration", **given, password="qv7mzk2")
    assert visitor.page.status_code == 422
    assert "Look into your mail" in await visitor.fill_in("/account/registration", **given, password="qv7mzk2p")
