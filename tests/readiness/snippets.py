"""For each rule code that it finds, and the same done well, which it lets pass. Each stands in a module of its own.

COMMON is the module of tables and dependencies that all of them import.
"""

from __future__ import annotations

IMPORTS = """
import asyncio
import hashlib
import os
import random
import secrets
import subprocess
import time
import uuid
from datetime import UTC, date, datetime, timedelta
from typing import Annotated

import jwt
import requests
import yaml
from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException, Query, Request, UploadFile
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import FileResponse, JSONResponse, RedirectResponse
from pydantic import BaseModel, ConfigDict, Field
from slowapi import Limiter
from sqlalchemy import Column, DateTime, ForeignKey, String, Table, func, insert, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship, selectinload
"""

COMMON = f"""{IMPORTS}

class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(200))
    password_hash: Mapped[str] = mapped_column(String(200))
    is_admin: Mapped[bool]


class Book(Base):
    __tablename__ = "books"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    isbn: Mapped[str] = mapped_column(String(20), unique=True)
    views: Mapped[int]
    taken_by: Mapped[int | None]
    owner_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    owner: Mapped[User] = relationship()


def get_db():
    with Session() as db:
        yield db


async def get_async_db():
    async with AsyncSession() as db:
        yield db


def current_user(authorization: Annotated[str, Header()], db: Annotated[Session, Depends(get_db)]) -> User:
    raise HTTPException(401)


def current_admin(user: Annotated[User, Depends(current_user)]) -> User:
    if not user.is_admin:
        raise HTTPException(403)
    return user


Db = Annotated[Session, Depends(get_db)]
AsyncDb = Annotated[AsyncSession, Depends(get_async_db)]
Caller = Annotated[User, Depends(current_user)]
Admin = Annotated[User, Depends(current_admin)]


class Settings(BaseModel):
    api_key: str


class BookIn(BaseModel):
    title: str = Field(max_length=200)


class BookOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    id: int
    title: str
"""

PRELUDE = f"""{IMPORTS}
from common import Admin, AsyncDb, Base, Book, BookIn, BookOut, Caller, Db, Settings, User, current_admin, current_user, get_db

router = APIRouter()
app = FastAPI()
"""

CODE: dict[str, tuple[str, str]] = {
    "get-writes": (
        """
def count(db: Session, book: Book):
    db.execute(update(Book).where(Book.id == book.id).values(views=Book.views + 1))

@router.get("/books/{book_id}")
def read_book(book_id: int, db: Db) -> BookOut:
    book = db.get_one(Book, book_id)
    count(db, book)
    return book
""",
        """
@router.get("/books/{book_id}")
def read_book(book_id: int, db: Db) -> BookOut:
    return db.get_one(Book, book_id)

@router.get("/auth/callback")
def callback(code: str, db: Db) -> BookOut:
    db.add(User(email=code))
""",
    ),
    "action-by-get": (
        """
@router.get("/orders/{order_id}/cancel")
def cancel(order_id: int, caller: Caller): ...
""",
        """
@router.get("/orders/{order_id}/returns")
def returns(order_id: int, caller: Caller): ...
""",
    ),
    "verb-in-path": (
        """
@router.post("/create-book")
def create(caller: Caller): ...
""",
        """
@router.post("/password-reset")
def reset(): ...

@router.get("/new-arrivals")
def arrivals(): ...

@router.post("/reset-password")
def reset_again(): ...
""",
    ),
    "create-answers-200": (
        """
@router.post("/books")
def create_book(data: BookIn, db: Db, caller: Caller) -> BookOut:
    book = Book(**data.model_dump())
    db.add(book)
    db.commit()
    return book
""",
        """
@router.post("/books", status_code=201)
def create_book(data: BookIn, db: Db, caller: Caller) -> BookOut:
    book = Book(**data.model_dump())
    db.add(book)
    db.commit()
    return book

@router.post("/visits")
def visit(data: BookIn, db: Db, caller: Caller) -> None:
    db.add(Book(title=data.title))

@router.post("/books/search")
def search(data: BookIn, db: Db) -> list[BookOut]:
    return db.scalars(select(Book).limit(10)).all()
""",
    ),
    "delete-answers-200": (
        """
@router.delete("/books/{book_id}")
def delete_book(book_id: int, caller: Caller):
    return {"message": "Book deleted"}
""",
        """
@router.delete("/books/{book_id}", status_code=204)
def delete_book(book_id: int, caller: Caller) -> None: ...

@router.delete("/sessions/{session_id}")
def end(session_id: int, caller: Caller) -> BookOut:
    return BookOut(id=1, title="what is left")
""",
    ),
    "patch-not-partial": (
        """
class BookUpdate(BaseModel):
    title: str
    pages: int

@router.patch("/books/{book_id}")
def change(book_id: int, data: BookUpdate, caller: Caller): ...
""",
        """
class BookUpdate(BaseModel):
    title: str | None = None
    pages: int | None = None

@router.patch("/books/{book_id}")
def change(book_id: int, data: BookUpdate, caller: Caller): ...
""",
    ),
    "patch-writes-unset": (
        """
class BookUpdate(BaseModel):
    title: str | None = None

@router.patch("/books/{book_id}")
def change(book_id: int, data: BookUpdate, db: Db, caller: Caller):
    book = db.get_one(Book, book_id)
    for name, value in data.model_dump().items():
        setattr(book, name, value)
""",
        """
class BookUpdate(BaseModel):
    title: str | None = None

@router.patch("/books/{book_id}")
def change(book_id: int, data: BookUpdate, db: Db, caller: Caller):
    book = db.get_one(Book, book_id)
    for name, value in data.model_dump(exclude_unset=True).items():
        setattr(book, name, value)
""",
    ),
    "denial-answers-200": (
        """
@router.delete("/books/{book_id}")
def delete_book(book_id: int, caller: Caller):
    if not caller.is_admin:
        return JSONResponse({"error": "Permission denied"})
""",
        """
@router.delete("/books/{book_id}")
def delete_book(book_id: int, caller: Caller):
    if not caller.is_admin:
        return JSONResponse({"error": "Permission denied"}, status_code=403)
    return {"message": "All permissions of the book are gone"}

@router.get("/pages/{page_id}")
def page(page_id: int):
    return {"message": "How to be found: the page that was never there"}
""",
    ),
    "update-needs-password": (
        """
class Profile(BaseModel):
    email: str
    full_name: str
    password: str

@router.put("/users/me")
def update_me(data: Profile, caller: Caller): ...
""",
        """
class Profile(BaseModel):
    email: str
    full_name: str
    password: str | None = None

class NewPassword(BaseModel):
    password: str
    new_password: str

@router.put("/users/me")
def update_me(data: Profile, caller: Caller): ...

@router.put("/users/me/password")
def update_password(data: NewPassword, caller: Caller): ...
""",
    ),
    "unauthenticated-write": (
        """
@router.put("/books/{book_id}")
def change(book_id: int, data: BookIn, db: Db):
    book = db.get_one(Book, book_id)
    book.title = data.title
    db.commit()
""",
        """
@router.put("/books/{book_id}")
def change(book_id: int, data: BookIn, db: Db, caller: Caller):
    db.get_one(Book, book_id).title = data.title
    db.commit()

@router.put("/shelves/{shelf_id}", dependencies=[Depends(current_admin)])
def change_shelf(shelf_id: int, db: Db):
    db.commit()

@router.post("/webhooks/payments")
def payment(db: Db):
    db.commit()

class SignUp(BaseModel):
    email: str = Field(max_length=200)
    password: str = Field(max_length=200)

@router.post("/users", status_code=201)
def sign_up(data: SignUp, db: Db) -> int:
    db.add(User(email=data.email))
    db.commit()
    return 1
""",
    ),
    "personal-data-open": (
        """
class UserOut(BaseModel):
    id: int
    email: str

@router.get("/users")
def users(db: Db) -> list[UserOut]:
    return db.scalars(select(User).limit(10)).all()
""",
        """
class UserOut(BaseModel):
    id: int
    email: str

class Author(BaseModel):
    id: int
    name: str

@router.get("/users/me")
def me(caller: Caller) -> UserOut:
    return caller

@router.get("/authors")
def authors(db: Db) -> list[Author]:
    return db.scalars(select(User).limit(10)).all()
""",
    ),
    "password-in-response": (
        """
class UserOut(BaseModel):
    id: int
    hashed_password: str

@router.get("/users/me")
def me(caller: Caller) -> UserOut:
    return caller
""",
        """
class UserOut(BaseModel):
    id: int
    has_password: bool
    password: str = Field(exclude=True)

@router.get("/users/me")
def me(caller: Caller) -> UserOut:
    return caller
""",
    ),
    "role-from-client": (
        """
class Registration(BaseModel):
    email: str
    password: str
    is_admin: bool = False

@router.post("/users", status_code=201)
def register(data: Registration): ...
""",
        """
class Registration(BaseModel):
    email: str
    password: str

class Roles(BaseModel):
    is_admin: bool

class Message(BaseModel):
    role: str
    content: str

@router.post("/users", status_code=201)
def register(data: Registration): ...

@router.put("/users/{user_id}/roles")
def set_roles(user_id: int, data: Roles, admin: Admin): ...

@router.post("/chat")
def chat(data: Message, caller: Caller): ...
""",
    ),
    "owner-from-client": (
        """
class Order(BaseModel):
    user_id: int

@router.post("/orders", status_code=201)
def order(data: Order, caller: Caller) -> int:
    return data.user_id
""",
        """
class Order(BaseModel):
    user_id: int

@router.post("/orders", status_code=201)
def order(data: Order, caller: Caller) -> int:
    if data.user_id != caller.id:
        raise HTTPException(403)
    return data.user_id

@router.post("/orders/for-others", status_code=201)
def order_for(data: Order, admin: Admin) -> int:
    return data.user_id
""",
    ),
    "answer-undeclared": (
        """
@router.get("/users/me")
def me(caller: Caller, db: Db):
    user = db.scalars(select(User).where(User.id == caller.id)).one()
    return user
""",
        """
@router.get("/users/me")
def me(caller: Caller, db: Db) -> BookOut:
    return db.scalars(select(User).where(User.id == caller.id)).one()

@router.get("/titles")
def titles(db: Db):
    return [book.title for book in db.scalars(select(Book).limit(5)).all()]
""",
    ),
    "body-undeclared": (
        """
@router.post("/books", status_code=201)
def add(data: dict, caller: Caller): ...
""",
        """
@router.post("/books", status_code=201)
def add(data: BookIn, caller: Caller): ...

@router.post("/webhooks/payments")
def paid(data: dict): ...
""",
    ),
    "token-error-not-401": (
        """
def claims(token: str):
    try:
        return jwt.decode(token, "key", algorithms=["HS256"])
    except jwt.ExpiredSignatureError:
        raise HTTPException(status_code=403, detail="expired")
""",
        """
def claims(token: str):
    try:
        return jwt.decode(token, "key", algorithms=["HS256"])
    except jwt.ExpiredSignatureError:
        raise HTTPException(status_code=401, detail="expired")

def reset(token: str):
    try:
        return jwt.decode(token, "key", algorithms=["HS256"])
    except jwt.InvalidTokenError:
        raise HTTPException(status_code=400, detail="this link is of no use")
""",
    ),
    "header-parsed-unchecked": (
        """
def token_of(request: Request) -> str:
    header = request.headers["Authorization"]
    return header.split(" ")[1]
""",
        """
def token_of(request: Request) -> str:
    header = request.headers.get("Authorization", "")
    if not header.startswith("Bearer "):
        raise HTTPException(401)
    return header.split(" ")[1]

def second(line: str) -> str:
    return line.split(",")[1]
""",
    ),
    "login-unlimited": (
        """
class Login(BaseModel):
    email: str
    password: str

@router.post("/login")
def login(data: Login): ...
""",
        """
limiter = Limiter(key_func=lambda request: request.client.host, storage_uri="redis://limits")

class Login(BaseModel):
    email: str
    password: str

@router.post("/login")
@limiter.limit("5/minute")
def login(request: Request, data: Login): ...

def throttle(request: Request): ...

@router.post("/sessions", dependencies=[Depends(throttle)])
def session(data: Login): ...
""",
    ),
    "limiter-per-process": (
        "limiter = Limiter(key_func=lambda request: request.client.host)\n",
        "limiter = Limiter(key_func=lambda request: request.client.host, storage_uri=os.environ.get('REDIS_URL'))\n",
    ),
    "weak-password-hash": (
        """
def hashed(password: str) -> str:
    return hashlib.sha256(password.encode()).hexdigest()
""",
        """
def etag(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()

def hashed(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=2**14, r=8, p=1)
""",
    ),
    "jwt-unverified": (
        """
def claims(token: str):
    return jwt.decode(token, options={"verify_signature": False})
""",
        """
def claims(token: str):
    return jwt.decode(token, "key", algorithms=["HS256"], options={"require": ["exp"]})
""",
    ),
    "jwt-without-expiry": (
        """
def make(user: User) -> str:
    payload = {"sub": str(user.id)}
    return jwt.encode(payload, "key", algorithm="HS256")
""",
        """
def make(user: User) -> str:
    payload = {"sub": str(user.id), "exp": datetime.now(UTC) + timedelta(minutes=15)}
    return jwt.encode(payload, "key", algorithm="HS256")

def sign(payload: dict) -> str:
    return jwt.encode(payload, "key", algorithm="HS256")
""",
    ),
    "secret-compared-plainly": (
        """
def may(x_api_key: str, settings: Settings) -> bool:
    return x_api_key == settings.api_key
""",
        """
def may(x_api_key: str, settings: Settings) -> bool:
    return secrets.compare_digest(x_api_key, settings.api_key)

def find(db: Session, reset_token: str) -> User:
    return db.scalar(select(User).where(User.reset_token == reset_token))

def kind(api_key: str) -> bool:
    return api_key == ""
""",
    ),
    "weak-token": (
        """
def reset_token() -> str:
    return "".join(random.choices("0123456789abcdef", k=32))
""",
        """
def reset_token() -> str:
    return secrets.token_urlsafe()

def jitter() -> float:
    return random.random()
""",
    ),
    "secret-default": (
        """
KEY = os.getenv("SECRET_KEY", "change-me")
""",
        """
def key() -> str:
    return os.environ["SECRET_KEY"]

HOST = os.getenv("HOST", "localhost")
PASSWORD = "password"
TOKEN_URL = os.getenv("TOKEN_URL", "/login/access-token")
""",
    ),
    "secret-in-source": (
        'CHECKOUT = "sk_' + 'live_51Hh2kQJ3kq0ZpXyAbCdEfGh"\n',
        'CHECKOUT = "sk_test_public_example"\nEXAMPLE = "eyJhbGciOiJIUzI1NiJ9..."\n',
    ),
    "secret-logged": (
        """
import logging
log = logging.getLogger(__name__)

def remember(email: str, password: str):
    log.info("log-in of %s with %s", email, password)
""",
        """
import logging
log = logging.getLogger(__name__)

def remember(email: str, password: str, token_count: int):
    log.info("log-in of %s: %s tokens", email, token_count)
""",
    ),
    "error-details-leaked": (
        """
def save(db: Session):
    try:
        db.commit()
    except Exception as error:
        raise HTTPException(500, detail=str(error))
""",
        """
def save(quantity: str):
    try:
        return int(quantity)
    except ValueError as error:
        raise HTTPException(422, detail=str(error))
""",
    ),
    "unbounded-list": (
        """
@router.get("/books")
def books(db: Db) -> list[BookOut]:
    return db.scalars(select(Book).order_by(Book.id)).all()
""",
        """
@router.get("/books")
def books(db: Db, limit: Annotated[int, Query(le=100)] = 20) -> list[BookOut]:
    return db.scalars(select(Book).order_by(Book.id).limit(limit)).all()

@router.get("/books/count")
def count(db: Db) -> int:
    return db.scalar(select(func.count()).select_from(Book))

@router.get("/users/{user_id}/books")
def of(user_id: int, db: Db) -> list[BookOut]:
    return db.scalars(select(Book).where(Book.owner_id == user_id)).all()
""",
    ),
    "page-size-unbounded": (
        """
@router.get("/books")
def books(db: Db, skip: int = 0, limit: int = 100) -> list[BookOut]:
    return db.scalars(select(Book).offset(skip).limit(limit)).all()
""",
        """
@router.get("/books")
def books(db: Db, limit: Annotated[int, Query(ge=1, le=100)] = 20) -> list[BookOut]:
    return db.scalars(select(Book).limit(limit)).all()

@router.get("/shelves")
def shelves(db: Db, size: int = 20) -> list[BookOut]:
    return db.scalars(select(Book).limit(min(size, 100))).all()
""",
    ),
    "rows-handled-in-python": (
        """
@router.get("/books/popular")
def popular(db: Db) -> list[BookOut]:
    books = db.query(Book).all()
    return sorted(books, key=lambda book: book.views)
""",
        """
@router.get("/books/popular")
def popular(db: Db) -> list[BookOut]:
    books = db.scalars(select(Book).order_by(Book.views.desc()).limit(10)).all()
    return sorted(books, key=lambda book: book.title)

@router.get("/books/free")
def free(db: Db) -> dict[str, int]:
    books = db.scalars(select(Book).where(Book.views > 5)).all()
    return {"free": len([book for book in books if book.taken_by is None]), "all": len(books)}
""",
    ),
    "query-in-loop": (
        """
def owner_of(db: Session, book: Book) -> User:
    return db.scalars(select(User).where(User.id == book.owner_id)).one()

@router.get("/books")
def books(db: Db) -> list[str]:
    return [owner_of(db, book).email for book in db.scalars(select(Book).limit(20))]
""",
        """
@router.get("/books")
def books(db: Db) -> list[str]:
    found = db.scalars(select(Book).limit(20)).all()
    owners = {each.id: each for each in db.scalars(select(User).where(User.id.in_([book.owner_id for book in found])))}
    for attempt in range(3):
        db.execute(select(func.pg_sleep(1)))
    first, second = [db.get(User, each) for each in (1, 2)]
    return [owners[book.owner_id].email for book in found]
""",
    ),
    "lazy-load-in-loop": (
        """
@router.get("/books")
def books(db: Db) -> list[str]:
    found = db.scalars(select(Book).limit(20)).all()
    return [book.owner.email for book in found]
""",
        """
@router.get("/books")
def books(db: Db) -> list[str]:
    found = db.scalars(select(Book).options(selectinload(Book.owner)).limit(20)).all()
    return [book.owner.email for book in found]
""",
    ),
    "like-unescaped": (
        """
@router.get("/books/search")
def search(q: str, db: Db) -> list[BookOut]:
    return db.scalars(select(Book).where(Book.title.ilike(f"%{q}%")).limit(20)).all()
""",
        """
@router.get("/books/search")
def search(q: str, db: Db) -> list[BookOut]:
    escaped = q.replace("%", r"\\%").replace("_", r"\\_")
    query = select(Book).where(or_(Book.title.ilike(f"%{escaped}%", escape="\\\\"), Book.title.icontains(q, autoescape=True)))
    return db.scalars(query.where(Book.title.like("The %")).limit(20)).all()
""",
    ),
    "lost-update": (
        """
@router.post("/books/{book_id}/views")
def view(book_id: int, db: Db, caller: Caller):
    book = db.get_one(Book, book_id)
    book.views += 1
    db.commit()
""",
        """
@router.post("/books/{book_id}/views")
def view(book_id: int, db: Db, caller: Caller):
    book = db.get_one(Book, book_id, with_for_update=True)
    db.execute(update(Book).where(Book.id == book.id).values(views=Book.views + 1))
    total = 0
    total += book.views
    db.commit()

@router.post("/shelves/{book_id}/views")
def view_shelf(book_id: int, db: Db, caller: Caller):
    book = db.scalars(select(Book).where(Book.id == book_id).with_for_update()).one()
    book.views += 1
    db.commit()
""",
    ),
    "taken-twice": (
        """
@router.post("/books/next/loan")
def take(db: Db, caller: Caller):
    book = db.scalars(select(Book).where(Book.taken_by.is_(None))).first()
    if book is None:
        raise HTTPException(409)
    book.taken_by = caller.id
    db.commit()
""",
        """
@router.post("/books/next/loan")
def take(db: Db, caller: Caller):
    book = db.scalars(select(Book).where(Book.taken_by.is_(None)).with_for_update(skip_locked=True)).first()
    if book is None:
        raise HTTPException(409)
    book.taken_by = caller.id
    db.commit()
""",
    ),
    "association-without-key": (
        """
shelved = Table("shelved", Base.metadata, Column("book", ForeignKey("books.id")), Column("user", ForeignKey("readers.id")))

class Reader(Base):
    __tablename__ = "readers"
    id: Mapped[int] = mapped_column(primary_key=True)
    books: Mapped[list[Book]] = relationship(secondary=shelved)
""",
        """
shelved = Table("shelved", Base.metadata, Column("book", ForeignKey("books.id"), primary_key=True),
                Column("user", ForeignKey("readers.id"), primary_key=True))

class Reader(Base):
    __tablename__ = "readers"
    id: Mapped[int] = mapped_column(primary_key=True)
    books: Mapped[list[Book]] = relationship(secondary=shelved)
""",
    ),
    "missing-row-is-500": (
        """
@router.get("/books/{book_id}/title")
def title(book_id: int, db: Db) -> str:
    book = db.get(Book, book_id)
    return book.title
""",
        """
def or_404(book: Book | None) -> Book:
    if book is None:
        raise HTTPException(404)
    return book

@router.get("/books/{book_id}/title")
def title(book_id: int, db: Db) -> str:
    book = db.get(Book, book_id)
    if not book:
        raise HTTPException(404)
    if (first := db.get(User, book_id)) is not None:
        return first.email
    owner = db.get(User, book.owner_id)
    return f"{book.title} of {owner.email}"

@router.get("/books/{book_id}/views")
def views(book_id: int, db: Db) -> int:
    return or_404(db.get(Book, book_id)).views
""",
    ),
    "commit-after-answer": (
        """
def transaction():
    with Session() as db:
        yield db
        db.commit()

@router.post("/books", status_code=201)
def add(db: Annotated[Session, Depends(transaction)], caller: Caller): ...
""",
        """
from contextlib import contextmanager

def transaction():
    with Session() as db:
        yield db
        db.commit()

@contextmanager
def scope():
    with Session() as db:
        yield db
        db.commit()

@router.post("/books", status_code=201)
def add(db: Annotated[Session, Depends(transaction, scope="function")], caller: Caller): ...
""",
    ),
    "unique-by-check": (
        """
class Registration(BaseModel):
    email: str = Field(max_length=200)
    password: str = Field(max_length=200)

@router.post("/users", status_code=201)
def register(data: Registration, db: Db) -> int:
    known = db.scalar(select(User).where(User.email == data.email))
    if known:
        raise HTTPException(409, "taken")
    db.add(User(email=data.email))
    db.commit()
    return 1
""",
        """
@router.post("/books", status_code=201)
def add(isbn: str, db: Db, caller: Caller) -> int:
    known = db.scalar(select(Book).where(Book.isbn == isbn))
    if known:
        raise HTTPException(409, "taken")
    db.add(Book(isbn=isbn))
    db.commit()
    return 1
""",
    ),
    "database-error-swallowed": (
        """
def save(db: Session, user: User):
    try:
        db.add(user)
        db.commit()
    except Exception:
        raise HTTPException(400, "e-mail taken")
""",
        """
from sqlalchemy.exc import IntegrityError

def save(db: Session, user: User):
    try:
        db.add(user)
        db.commit()
    except IntegrityError:
        db.rollback()
        raise HTTPException(409, "e-mail taken")
    except Exception:
        db.rollback()
        raise
""",
    ),
    "id-from-count": (
        """
books = []

def add(title: str):
    books.append({"id": len(books) + 1, "title": title})
""",
        """
def pages(rows: list, size: int) -> int:
    last = max(rows) + 1
    return {"id": rows[0], "next": last}
""",
    ),
    "state-in-process": (
        """
books: list[dict] = []

@router.post("/books", status_code=201)
def add(data: BookIn, caller: Caller) -> int:
    books.append(data.model_dump())
    return 1
""",
        """
_cache: dict[int, str] = {}
KINDS = ["novel", "poem"]

@router.get("/books/{book_id}/title")
def title(book_id: int) -> str:
    _cache[book_id] = "kept"
    found = []
    found.append(KINDS)
    return _cache[book_id]
""",
    ),
    "float-money": (
        """
class Product(BaseModel):
    unit_price: float

@router.post("/products", status_code=201)
def add(data: Product, caller: Caller): ...
""",
        """
from decimal import Decimal

class Product(BaseModel):
    unit_price: Decimal
    price_amount: int
    price_rating: float
    weight: float

@router.post("/products", status_code=201)
def add(data: Product, caller: Caller): ...
""",
    ),
    "naive-datetime-column": (
        """
class Loan(Base):
    __tablename__ = "loans"
    id: Mapped[int] = mapped_column(primary_key=True)
    due_at: Mapped[datetime]
""",
        """
class Loan(Base):
    __tablename__ = "loans"
    id: Mapped[int] = mapped_column(primary_key=True)
    due_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    due_on: Mapped[date]
""",
    ),
    "naive-now": (
        """
@router.get("/now")
def now() -> str:
    return datetime.utcnow().isoformat()
""",
        """
@router.get("/now")
def now() -> str:
    return datetime.now(UTC).isoformat()
""",
    ),
    "clock-at-import": (
        """
class Draft(BaseModel):
    created_at: datetime = datetime.now(UTC)
""",
        """
STARTED = datetime.now(UTC)

class Draft(BaseModel):
    id: uuid.UUID = Field(default_factory=uuid.uuid4)
    created_at: datetime = Field(default_factory=lambda: datetime.now(UTC))
""",
    ),
    "foreign-key-unindexed": (
        """
class Review(Base):
    __tablename__ = "reviews"
    id: Mapped[int] = mapped_column(primary_key=True)
    book_id: Mapped[int] = mapped_column(ForeignKey("books.id"))

def of(db: Session, book_id: int):
    return db.scalars(select(Review).where(Review.book_id == book_id).limit(5))
""",
        """
class Review(Base):
    __tablename__ = "reviews"
    id: Mapped[int] = mapped_column(primary_key=True)
    book_id: Mapped[int] = mapped_column(ForeignKey("books.id"), index=True)
    checked_by: Mapped[int] = mapped_column(ForeignKey("users.id"))

def of(db: Session, book_id: int):
    own = or_(Review.checked_by.is_(None), Review.checked_by == 1)
    return db.scalars(select(Review).where(Review.book_id == book_id, Review.checked_by == 1, own).limit(5))
""",
    ),
    "date-as-string": (
        """
class Edition(BaseModel):
    published_date: str = Field(max_length=10)

@router.post("/editions", status_code=201)
def add(data: Edition, caller: Caller): ...
""",
        """
class Edition(BaseModel):
    published_date: date
    date_format: str = Field(max_length=10)

@router.post("/editions", status_code=201)
def add(data: Edition, caller: Caller): ...
""",
    ),
    "unbounded-string": (
        """
class Note(BaseModel):
    words: str

@router.post("/notes", status_code=201)
def add(data: Note, caller: Caller): ...
""",
        """
from enum import StrEnum
from typing import Literal

class Kind(StrEnum):
    LONG = "long"

class Note(BaseModel):
    words: str = Field(max_length=2000)
    tag: Annotated[str, Field(max_length=20)] | None = None
    code: str = Field(pattern="^[a-z]{3}$")
    kind: Kind
    shape: Literal["round", "square"]

@router.post("/notes", status_code=201)
def add(data: Note, caller: Caller): ...
""",
    ),
    "negative-count": (
        """
class Line(BaseModel):
    quantity: int

@router.post("/lines", status_code=201)
def add(data: Line, caller: Caller): ...
""",
        """
class Line(BaseModel):
    quantity: int = Field(gt=0)
    offset: int

@router.post("/lines", status_code=201)
def add(data: Line, caller: Caller): ...
""",
    ),
    "orm-mode-deprecated": (
        """
def shown(book: Book) -> BookOut:
    return BookOut.from_orm(book)
""",
        """
def shown(book: Book) -> BookOut:
    return BookOut.model_validate(book)
""",
    ),
    "sql-from-string": (
        """
def find(db: Session, title: str):
    return db.execute(text(f"SELECT * FROM books WHERE title = '{title}'"))
""",
        """
TABLE = "books"

def find(db: Session, title: str):
    return db.execute(text(f"SELECT * FROM {TABLE} WHERE title = :title"), {"title": title})
""",
    ),
    "unsafe-load": (
        """
def read(text_: str):
    return yaml.load(text_, Loader=yaml.Loader)
""",
        """
def read(text_: str):
    return yaml.safe_load(text_), yaml.load(text_, Loader=yaml.SafeLoader)
""",
    ),
    "shell-from-string": (
        """
def convert(name: str):
    subprocess.run(f"convert {name} out.png", shell=True)
""",
        """
def convert(name: str):
    subprocess.run(["convert", name, "out.png"], check=True)
""",
    ),
    "tls-verify-off": (
        "def fetch():\n    return requests.get('https://example.com', verify=False, timeout=3)\n",
        "def fetch():\n    return requests.get('https://example.com', verify='/etc/ca.pem', timeout=3)\n",
    ),
    "path-from-client": (
        """
@router.get("/files/{name}")
def file(name: str, caller: Caller):
    return FileResponse(f"files/{name}")
""",
        """
from pathlib import Path

@router.get("/files/{name}")
def file(name: str, caller: Caller):
    path = (Path("files") / name).resolve()
    if not path.is_relative_to("/srv/files"):
        raise HTTPException(404)
    return FileResponse(path)

@router.get("/covers/{book_id}")
def cover(book_id: int):
    return FileResponse(f"covers/{book_id}.png")
""",
    ),
    "redirect-from-client": (
        """
@router.get("/leave")
def leave(to: str):
    return RedirectResponse(to)
""",
        """
@router.get("/leave")
def leave(to: str):
    if not to.startswith("/") or to.startswith("//"):
        raise HTTPException(400)
    return RedirectResponse(to)

@router.get("/old")
def old():
    return RedirectResponse("/new")
""",
    ),
    "blocking-in-async": (
        """
@router.get("/weather")
async def weather(db: Db) -> str:
    time.sleep(1)
    return "fine"
""",
        """
@router.get("/weather")
async def weather(db: AsyncDb) -> str:
    await asyncio.sleep(1)
    await db.execute(select(Book).limit(1))
    return await asyncio.to_thread(lambda: time.sleep(1))

@router.get("/climate")
def climate(db: Db) -> str:
    time.sleep(1)
    db.execute(select(Book).limit(1))
    return "warm"
""",
    ),
    "request-without-timeout": (
        "def fetch():\n    return requests.get('https://example.com')\n",
        "def fetch():\n    return requests.get('https://example.com', timeout=5)\n",
    ),
    "task-not-kept": (
        "async def begin():\n    asyncio.create_task(asyncio.sleep(1))\n",
        "async def begin():\n    task = asyncio.create_task(asyncio.sleep(1))\n    await task\n",
    ),
    "cors-wildcard-credentials": (
        'app.add_middleware(CORSMiddleware, allow_origins=["*"], allow_credentials=True)\n',
        'app.add_middleware(CORSMiddleware, allow_origins=["https://example.com"], allow_credentials=True)\n',
    ),
    "cors-any-origin": (
        'app.add_middleware(CORSMiddleware, allow_origins=["*"])\n',
        'app.add_middleware(CORSMiddleware, allow_origins=["https://example.com"])\n',
    ),
    "debug-on": ("other = FastAPI(debug=True)\n", 'other = FastAPI(debug=os.environ.get("DEBUG") == "1")\n'),
    "sqlite-fallback": (
        'URL = os.getenv("DATABASE_URL", "sqlite:///shop.db")\n',
        'class DevelopmentConfig:\n    URL = os.getenv("DATABASE_URL", "sqlite:///shop.db")\n\ndef url() -> str:\n    return os.environ["DATABASE_URL"]\n',
    ),
    "tables-without-migrations": (
        "def start(engine):\n    Base.metadata.create_all(engine)\n",
        "def start(engine):\n    Base.metadata.reflect(engine)\n",
    ),
}

FILES: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "reload-in-image": (
        {"Dockerfile": 'FROM python:3.13\nUSER app\nCMD ["uvicorn", "main:app", "--reload"]\n'},
        {
            "Dockerfile": 'FROM python:3.13\nUSER app\nCMD ["uvicorn", "main:app"]\n',
            "Dockerfile.dev": "FROM x\nCMD uvicorn --reload\n",
        },
    ),
    "image-as-root": (
        {"Dockerfile": 'FROM python:3.13 AS build\nUSER app\nFROM python:3.13\nCMD ["uvicorn", "main:app"]\n'},
        {"Dockerfile": 'FROM python:3.13\nRUN useradd app\nUSER app\nCMD ["uvicorn", "main:app"]\n'},
    ),
    "secret-in-image": (
        {"Dockerfile": "FROM python:3.13\nENV SECRET_KEY=hunter2hunter2\nUSER app\n"},
        {"Dockerfile": "FROM python:3.13\nARG SECRET_KEY\nENV TOKEN_URL=\nCOPY .env.example .env.example\nUSER app\n"},
    ),
    "env-committed": ({".env": "A=1\n"}, {".env": "A=1\n", ".env.example": "A=\n", ".gitignore": ".env\n"}),
    "database-committed": ({"shop.sqlite3": ""}, {"shop.sqlite3": "", ".gitignore": "*.sqlite3\n"}),
    "dependencies-unpinned": (
        {"requirements.txt": "fastapi\nsqlalchemy\n"},
        {"requirements.txt": "fastapi\n", "requirements.lock": "fastapi==0.165.0\n"},
    ),
    "pipeline-runs-other-tests": (
        {"README.md": "Run `pytest`.\n", ".github/workflows/ci.yml": "- run: python -m unittest\n"},
        {"README.md": "Run `pytest`.\n", ".github/workflows/ci.yml": "- run: pytest -q\n"},
    ),
    "openapi-file-behind": (
        {"openapi.json": '{"openapi": "3.1.0", "paths": {"/things": {}}}'},
        {
            "openapi.yaml": "openapi: 3.1.0\npaths:\n  /things:\n    get: {}\n  '/things/{thing_id}':\n    get: {}\ninfo: {}\n"
        },
    ),
}
