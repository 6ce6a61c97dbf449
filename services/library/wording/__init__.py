"""The languages of letters and notices: English in the code, the others in the `.po` files beside this one."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, TypeAlias, get_args

from freehold.wording import Catalogues

Language: TypeAlias = Literal["en", "es", "de"]
LANGUAGES: tuple[str, ...] = get_args(Language)
CATALOGUES = Catalogues(Path(__file__).parent)
