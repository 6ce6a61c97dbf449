"""What a resource is called: its class, its collection, and the words for it."""

from __future__ import annotations

import builtins
import keyword
import re
from dataclasses import dataclass

from freehold.errors import ConfigurationError

_WORD = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_LONGEST = 40


@dataclass(frozen=True, slots=True)
class Names:
    """singular: book_review. collection: book_reviews, the table and the folder. model: BookReview."""

    singular: str
    collection: str
    model: str

    @property
    def word(self) -> str:
        """For a sentence: `book review`."""
        return self.singular.replace("_", " ")

    @property
    def words(self) -> str:
        """For a sentence: `book reviews`."""
        return self.collection.replace("_", " ")


def names_of(name: str, *, plural: str = "") -> Names:
    """The names of a resource. Raises ConfigurationError for one that is none, and for a plural."""
    from freehold.resource import base

    singular = base.snake(name.replace("-", "_"))
    _check(name, singular)
    if not plural and _is_plural(singular):
        guess = singular.removesuffix("s")
        raise ConfigurationError(
            f"resource {name!r}: say it in the singular, {guess}. "
            f"If {name} is the singular, say its plural: --plural {base.plural(singular)}"
        )
    collection = plural.replace("-", "_") or base.plural(singular)
    _check(plural, collection)
    if collection == singular:
        raise ConfigurationError(f"resource {name!r}: its collection needs a name of its own: --plural {singular}_list")
    return Names(singular, collection, "".join(word.capitalize() for word in singular.split("_")))


def _check(given: str, name: str) -> None:
    if not _WORD.fullmatch(name) or len(name) > _LONGEST:
        raise ConfigurationError(
            f"resource {given!r}: a name has letters, digits and _ between them, at most {_LONGEST}, such as book_review"
        )
    model = "".join(word.capitalize() for word in name.split("_"))
    if keyword.iskeyword(name) or keyword.iskeyword(model) or name in _TAKEN or hasattr(builtins, model):
        raise ConfigurationError(f"resource {given!r}: {name} means something else in the code. Choose another name.")


def _is_plural(name: str) -> bool:
    return name.endswith("s") and not name.endswith(("ss", "us", "is"))


_TAKEN = frozenset(
    {
        "access", "app", "base", "crud", "draft", "enum", "field", "migrations", "models", "owner", "people", "principal",
        "queries", "resource", "role", "routes", "schemas", "session", "settings", "stage", "string", "tests", "text",
        "users", "user",
    }
)  # fmt: skip
