from fastapi import APIRouter, Depends, HTTPException
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.database import get_db
from app.models import ItemDescription, Items
from app.schemas import ItemDescriptionIn, ItemDescriptionOut, ItemOut

router = APIRouter()


@router.post("/descriptions", response_model=ItemDescriptionOut, status_code=201)
def create_description(data: ItemDescriptionIn, db: Session = Depends(get_db)):
    description = ItemDescription(**data.model_dump())
    db.add(description)
    db.commit()
    return description


@router.get("/descriptions", response_model=list[ItemDescriptionOut])
def get_descriptions(db: Session = Depends(get_db)):
    return db.execute(select(ItemDescription)).scalars().all()


@router.post("/{desc_id}", response_model=list[ItemOut], status_code=201)
def create_items(desc_id: int, qty: int, db: Session = Depends(get_db)):
    description = db.get(ItemDescription, desc_id)
    if not description:
        raise HTTPException(status_code=404, detail="Item description not found")

    new_items = []
    for _ in range(qty):
        item = Items(desc_id=desc_id)
        db.add(item)
        new_items.append(item)
    db.commit()
    return new_items


@router.get("", response_model=list[ItemOut])
def get_items(db: Session = Depends(get_db)):
    return db.execute(select(Items)).scalars().all()
