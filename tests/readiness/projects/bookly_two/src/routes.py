from fastapi import APIRouter, Depends, HTTPException
from sqlalchemy.orm import Session

from src import crud
from src.database import get_db
from src.schemas import BookCreate, BookOut, BookUpdate

router = APIRouter(prefix="/books", tags=["books"])


@router.get("/", response_model=list[BookOut])
async def read_books(db: Session = Depends(get_db)):
    return [BookOut.from_orm(book) for book in crud.get_books(db)]


@router.post("/", response_model=BookOut)
async def create_book(book: BookCreate, db: Session = Depends(get_db)):
    return BookOut.from_orm(crud.create_book(db, book))


@router.get("/{book_id}", response_model=BookOut)
async def read_book(book_id: int, db: Session = Depends(get_db)):
    book = crud.get_book(db, book_id)
    if book is None:
        raise HTTPException(status_code=404, detail="Book not found")
    return BookOut.from_orm(book)


@router.patch("/{book_id}", response_model=BookOut)
async def update_book(book_id: int, book: BookUpdate, db: Session = Depends(get_db)):
    return BookOut.from_orm(crud.update_book(db, book_id, book))


@router.delete("/{book_id}")
async def delete_book(book_id: int, db: Session = Depends(get_db)):
    crud.delete_book(db, book_id)
    return {"message": "Book deleted"}
