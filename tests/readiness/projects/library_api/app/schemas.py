from datetime import date, datetime

from pydantic import BaseModel, ConfigDict


class ORMModel(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class UserIn(BaseModel):
    first_name: str
    last_name: str
    email: str
    password: str
    DOB: date | None = None
    address: str | None = None
    role: str


class UserOut(ORMModel):
    id: int
    first_name: str
    last_name: str
    email: str
    password: str
    DOB: date | None
    address: str | None
    role: str


class Login(BaseModel):
    email: str
    password: str


class BookIn(BaseModel):
    title: str
    genre: str
    age_category: str
    publish_date: date
    author: str


class BookOut(ORMModel):
    id: int
    title: str
    genre: str
    age_category: str
    publish_date: date
    author: str


class LoanIn(BaseModel):
    user_id: int


class LoanOut(ORMModel):
    id: int
    user_id: int
    loan_date: datetime
    deadline: datetime
    return_date: datetime | None
    books: list[BookOut]


class ItemDescriptionIn(BaseModel):
    item_name: str
    price: float


class ItemDescriptionOut(ORMModel):
    id: int
    item_name: str
    price: float


class ItemOut(ORMModel):
    id: int
    desc_id: int
    order_id: int | None


class OrderOut(ORMModel):
    id: int
    user_id: int
    order_date: datetime
    items: list[ItemOut]
