from datetime import date, datetime, timedelta

from sqlalchemy import Column, ForeignKey, Table
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.database import Base

loan_books = Table(
    "loan_books",
    Base.metadata,
    Column("loan_id", ForeignKey("loans.id")),
    Column("book_id", ForeignKey("books.id")),
)


class Users(Base):
    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    first_name: Mapped[str]
    last_name: Mapped[str]
    email: Mapped[str] = mapped_column(unique=True)
    password: Mapped[str]
    DOB: Mapped[date | None]
    address: Mapped[str | None]
    role: Mapped[str]

    loans: Mapped[list["Loans"]] = relationship(back_populates="user")
    orders: Mapped[list["Orders"]] = relationship(back_populates="user")


class Books(Base):
    __tablename__ = "books"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(unique=True)
    genre: Mapped[str]
    age_category: Mapped[str]
    publish_date: Mapped[date]
    author: Mapped[str]

    loans: Mapped[list["Loans"]] = relationship(secondary=loan_books, back_populates="books")


class Loans(Base):
    __tablename__ = "loans"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    loan_date: Mapped[datetime] = mapped_column(default=datetime.now())
    deadline: Mapped[datetime] = mapped_column(default=datetime.now() + timedelta(days=14))
    return_date: Mapped[datetime | None]

    user: Mapped["Users"] = relationship(back_populates="loans")
    books: Mapped[list["Books"]] = relationship(secondary=loan_books, back_populates="loans")


class Orders(Base):
    __tablename__ = "orders"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    order_date: Mapped[datetime] = mapped_column(default=datetime.now())

    user: Mapped["Users"] = relationship(back_populates="orders")
    items: Mapped[list["Items"]] = relationship(back_populates="order")


class ItemDescription(Base):
    __tablename__ = "item_descriptions"

    id: Mapped[int] = mapped_column(primary_key=True)
    item_name: Mapped[str]
    price: Mapped[float]

    items: Mapped[list["Items"]] = relationship(back_populates="description")


class Items(Base):
    __tablename__ = "items"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id"))
    desc_id: Mapped[int] = mapped_column(ForeignKey("item_descriptions.id"))

    order: Mapped["Orders | None"] = relationship(back_populates="items")
    description: Mapped["ItemDescription"] = relationship(back_populates="items")
