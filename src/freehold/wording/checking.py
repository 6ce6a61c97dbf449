"""What translators have still to do."""

from __future__ import annotations

import re
from pathlib import Path

from babel.messages.extract import extract_from_dir

from freehold.wording.catalogues import Catalogues

_SAID_IN = [("**.py", "python"), ("**.html", "jinja2.ext:babel_extract")]
_VALUE = re.compile(r"\{\w*\}")


def untranslated(catalogues: Catalogues, code: Path) -> list[str]:
    """A line for each fault of the catalogues, none where all is well; for a test of the application.

    A phrase of the Python files and Jinja templates (`.html`) in a folder (its tests aside) that a language lacks, one
    that nobody says any more, and a translation with other `{values}` than the English.
    """
    found = extract_from_dir(str(code), _SAID_IN, keywords={"phrase": None})
    said = {text for file, _, text, *_ in found if isinstance(text, str) and "tests" not in Path(file).parts}
    faults: list[str] = []
    for language in catalogues.languages[1:]:
        messages = catalogues.words(language).messages
        faults += [f"{language}: {text!r} is not there" for text in sorted(said - set(messages))]
        faults += [f"{language}: {text!r} is said nowhere" for text in sorted(set(messages) - said)]
        faults += [
            f"{language}: {english!r} has other values"
            for english, text in messages.items()
            if sorted(_VALUE.findall(text)) != sorted(_VALUE.findall(english))
        ]
    return faults
