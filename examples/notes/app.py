from freehold import Freehold

from .routes import notes

app = Freehold(notes, title="Notes")
