from fastapi import APIRouter, Depends, HTTPException, Request
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.database import get_db
from app.extensions import limiter
from app.models import Books, Loans
from app.schemas import LoanIn, LoanOut

router = APIRouter()


@router.post("", response_model=LoanOut, status_code=201)
def create_loan(data: LoanIn, db: Session = Depends(get_db)):
    loan = Loans(**data.model_dump())
    db.add(loan)
    db.commit()
    return loan


@router.get("", response_model=list[LoanOut])
def get_loans(db: Session = Depends(get_db)):
    return db.execute(select(Loans)).scalars().all()


@router.put("/{loan_id}/add-book/{book_id}", response_model=LoanOut)
@limiter.limit("600/day")
def add_book(request: Request, loan_id: int, book_id: int, db: Session = Depends(get_db)):
    loan = db.get(Loans, loan_id)
    book = db.get(Books, book_id)
    if not loan or not book:
        raise HTTPException(status_code=404, detail="Loan or book not found")
    if book not in loan.books:
        loan.books.append(book)
        db.commit()
    return loan


@router.put("/{loan_id}/remove-book/{book_id}", response_model=LoanOut)
def remove_book(loan_id: int, book_id: int, db: Session = Depends(get_db)):
    loan = db.get(Loans, loan_id)
    book = db.get(Books, book_id)
    if not loan or not book:
        raise HTTPException(status_code=404, detail="Loan or book not found")
    if book in loan.books:
        loan.books.remove(book)
        db.commit()
    return loan
