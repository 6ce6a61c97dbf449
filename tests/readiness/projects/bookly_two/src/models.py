from sqlalchemy import Column, Integer, String

from src.database import Base


class Book(Base):
    __tablename__ = "books"

    id = Column(Integer, primary_key=True, index=True)
    title = Column(String)
    author = Column(String)
    publisher = Column(String)
    published_date = Column(String)
    page_count = Column(Integer)
    language = Column(String)
