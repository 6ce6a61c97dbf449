from fastapi import APIRouter, Depends, HTTPException
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.database import get_db
from app.models import Items, Orders
from app.schemas import OrderOut
from app.util.auth import current_user_id

router = APIRouter()


@router.post("", response_model=OrderOut, status_code=201)
def create_order(user_id: int = Depends(current_user_id), db: Session = Depends(get_db)):
    order = Orders(user_id=user_id)
    db.add(order)
    db.commit()
    return order


@router.put("/{order_id}/add-item/{desc_id}", response_model=OrderOut)
def add_item(
    order_id: int, desc_id: int, user_id: int = Depends(current_user_id), db: Session = Depends(get_db)
):
    order = db.get(Orders, order_id)
    if not order:
        raise HTTPException(status_code=404, detail="Order not found")

    query = select(Items).where(Items.desc_id == desc_id, Items.order_id == None)
    item = db.execute(query).scalars().first()
    item.order_id = order.id
    db.commit()
    return order


@router.get("/{order_id}/checkout")
def checkout(order_id: int, user_id: int = Depends(current_user_id), db: Session = Depends(get_db)):
    order = db.get(Orders, order_id)
    if not order:
        raise HTTPException(status_code=404, detail="Order not found")

    total = 0
    receipt = []
    for item in order.items:
        total += item.description.price
        receipt.append({"item": item.description.item_name, "price": item.description.price})
    return {"message": "Thank you for your purchase", "items": receipt, "total": total}
