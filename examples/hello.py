"""The smallest service, complete: `freehold dev examples.hello:app`."""

from sqlalchemy.orm import Mapped

from freehold import Access, Base, Freehold, Resource, anyone, signed_in


class Book(Base):
    title: Mapped[str]
    author: Mapped[str]
    year: Mapped[int]


app = Freehold(Resource(Book, access=Access(read=anyone, write=signed_in)))
