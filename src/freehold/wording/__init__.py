"""What people are told, in the language that they read: phrases, catalogues of translations, days and money.

Code says `phrase("From {start} to {end}.", start=..., end=...)` in English, and what reads it in another language comes
from a PO file that translators' tools know. Needs the extra `wording` (Babel).
"""

from freehold.wording.catalogues import Catalogues, Words
from freehold.wording.checking import untranslated
from freehold.wording.phrases import Moment, Money, Paragraphs, Phrase, paragraphs, phrase

__all__ = ["Catalogues", "Moment", "Money", "Paragraphs", "Phrase", "Words", "paragraphs", "phrase", "untranslated"]
