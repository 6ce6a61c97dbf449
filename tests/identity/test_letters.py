"""The letters of identity: what they name of a device, in the language of the letter."""

from __future__ import annotations

import pytest

from freehold.identity.devices import program_and_system
from freehold.identity.notices import LETTERS
from freehold.mail.templates import LETTERS as LAYOUT
from freehold.mail.templates import Templates

ON_LINUX = "Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0"
IN_AN_APP = "okhttp/5.0"
TEMPLATES = Templates(LETTERS, LAYOUT)


@pytest.mark.parametrize(
    ("language", "agent", "named"),
    [
        ("en", ON_LINUX, "Firefox on Linux"),
        ("de", ON_LINUX, "Firefox auf Linux"),
        ("es", ON_LINUX, "Firefox en Linux"),
        ("en", IN_AN_APP, "an Android app"),
        ("de", IN_AN_APP, "eine Android-App"),
        ("es", IN_AN_APP, "una aplicación de Android"),
        ("en", "iPad", "iPad"),
        ("en", "", "unknown device"),
        ("de", "", "ein unbekanntes Gerät"),
        ("es", "", "un dispositivo desconocido"),
    ],
)
def test_a_device_is_named_in_the_language_of_the_letter(language: str, agent: str, named: str) -> None:
    program, system = program_and_system(agent)
    letter = TEMPLATES.render(
        "identity.login_by_link", language=language, program=program, system=system, is_first_proof=False
    )
    assert f": {named}." in letter.text
    assert letter.html is not None and f": {named}." in letter.html
