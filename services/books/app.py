"""Books, put together. Composition only: the features are in their folders."""

from __future__ import annotations

from freehold import Freehold
from freehold.settings import Settings

from .books.routes import books
from .reviews.routes import reviews
from .settings import BooksSettings
from .users import identity


def build(core: Settings | None = None) -> Freehold:
    """The application. core: Freehold's settings, read from the environment where not given."""
    app = Freehold(
        books,
        reviews,
        # freehold:resources  (`freehold add resource` writes above this line)
        title=BooksSettings.load().title,
        license_info={"name": "MIT", "identifier": "MIT"},
        identity=identity,
        migrations="migrations",
        settings=core,
    )
    app.database.parts[Settings] = app.settings
    return app


app = build()
