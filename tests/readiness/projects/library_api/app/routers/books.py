from fastapi import APIRouter, Depends, HTTPException, Request
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.database import get_db
from app.extensions import limiter
from app.models import Books, Users
from app.schemas import BookIn, BookOut
from app.util.auth import current_user_id

router = APIRouter()


@router.post("", status_code=201)
def create_book(data: BookIn, user_id: int = Depends(current_user_id), db: Session = Depends(get_db)):
    user = db.get(Users, user_id)
    if user.role != "admin":
        return {"message": "You are not authorized to add books"}

    book = Books(**data.model_dump())
    db.add(book)
    db.commit()
    return BookOut.model_validate(book)


@router.get("", response_model=list[BookOut])
def get_books(request: Request, db: Session = Depends(get_db)):
    try:
        page = int(request.query_params.get("page"))
        per_page = int(request.query_params.get("per_page"))
        return db.execute(select(Books).offset((page - 1) * per_page).limit(per_page)).scalars().all()
    except:
        return db.execute(select(Books)).scalars().all()


@router.get("/popularity", response_model=list[BookOut])
def popular_books(db: Session = Depends(get_db)):
    books = db.execute(select(Books)).scalars().all()
    books.sort(key=lambda book: len(book.loans), reverse=True)
    return books


@router.get("/search", response_model=list[BookOut])
def search_book(title: str | None = None, db: Session = Depends(get_db)):
    query = select(Books).where(Books.title.like(f"%{title}%"))
    return db.execute(query).scalars().all()


@router.put("/{book_id}", response_model=BookOut)
@limiter.limit("30/hour")
def update_book(request: Request, book_id: int, data: BookIn, db: Session = Depends(get_db)):
    book = db.get(Books, book_id)
    if not book:
        raise HTTPException(status_code=404, detail="Book not found")
    for key, value in data.model_dump().items():
        setattr(book, key, value)
    db.commit()
    return book


@router.delete("/{book_id}")
@limiter.limit("8/day")
def delete_book(request: Request, book_id: int, db: Session = Depends(get_db)):
    book = db.get(Books, book_id)
    db.delete(book)
    db.commit()
    return {"message": f"Book {book_id} deleted"}
