from pydantic import BaseModel, ConfigDict


class BookBase(BaseModel):
    title: str
    author: str
    publisher: str
    published_date: str
    page_count: int
    language: str


class BookCreate(BookBase):
    pass


class BookUpdate(BookBase):
    pass


class BookOut(BookBase):
    id: int

    model_config = ConfigDict(from_attributes=True)
