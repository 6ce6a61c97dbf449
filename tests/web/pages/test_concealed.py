"""Registration where accounts are concealed: one page for everybody, and a letter that its reader understands (A01)."""

from __future__ import annotations

import pytest

from freehold import Freehold
from freehold.testing import Stage
from tests.web.pages.service import application
from tests.web.pages.visitor import Visitor, letters_in

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def app(module_database: str, tmp_path_factory: pytest.TempPathFactory) -> Freehold:
    return application(module_database, tmp_path_factory.mktemp("var"), settings={"conceal_accounts": True})


async def test_A01_the_owner_of_a_taken_address_is_told_in_the_language_that_they_read(
    app: Freehold, stage: Stage
) -> None:
    owner, stranger = Visitor(app, language="es"), Visitor(app, language="en")
    assert "Mire su correo" in await owner.register()
    assert "Look into your mail" in await stranger.register()
    assert (await letters_in(stage))[-1].subject == "Marginalia: Ya tiene una cuenta"
