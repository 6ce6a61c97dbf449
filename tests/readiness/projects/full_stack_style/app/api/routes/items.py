import uuid
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, status
from sqlalchemy import func, select, update

from app import crud
from app.api.deps import CurrentUser, SessionDep
from app.models import Item
from app.schemas import ItemCreate, ItemPublic, ItemsPublic, ItemUpdate

router = APIRouter(prefix="/items", tags=["items"])


@router.get("/", response_model=ItemsPublic)
def read_items(
    session: SessionDep,
    current_user: CurrentUser,
    skip: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=100)] = 100,
    title: Annotated[str | None, Query(max_length=100)] = None,
) -> Any:
    """
    Retrieve items.
    """
    count_statement = select(func.count()).select_from(Item)
    statement = select(Item)
    if not current_user.is_superuser:
        count_statement = count_statement.where(Item.owner_id == current_user.id)
        statement = statement.where(Item.owner_id == current_user.id)
    if title:
        statement = statement.where(Item.title.icontains(title, autoescape=True))
    count = session.scalars(count_statement).one()
    items = session.scalars(statement.order_by(Item.created_at.desc()).offset(skip).limit(limit)).all()
    return ItemsPublic(data=[ItemPublic.model_validate(item) for item in items], count=count)


@router.get("/{id}", response_model=ItemPublic)
def read_item(session: SessionDep, current_user: CurrentUser, id: uuid.UUID) -> Any:
    """
    Get item by ID.
    """
    item = session.get(Item, id)
    if not item:
        raise HTTPException(status_code=404, detail="Item not found")
    if not current_user.is_superuser and (item.owner_id != current_user.id):
        raise HTTPException(status_code=403, detail="Not enough permissions")
    return item


@router.post("/", response_model=ItemPublic, status_code=status.HTTP_201_CREATED)
def create_item(*, session: SessionDep, current_user: CurrentUser, item_in: ItemCreate) -> Any:
    """
    Create new item.
    """
    return crud.create_item(session=session, item_in=item_in, owner_id=current_user.id)


@router.patch("/{id}", response_model=ItemPublic)
def update_item(*, session: SessionDep, current_user: CurrentUser, id: uuid.UUID, item_in: ItemUpdate) -> Any:
    """
    Update an item.
    """
    item = session.get(Item, id)
    if not item:
        raise HTTPException(status_code=404, detail="Item not found")
    if not current_user.is_superuser and (item.owner_id != current_user.id):
        raise HTTPException(status_code=403, detail="Not enough permissions")
    for key, value in item_in.model_dump(exclude_unset=True).items():
        setattr(item, key, value)
    session.add(item)
    session.commit()
    session.refresh(item)
    return item


@router.post("/{id}/sale", response_model=ItemPublic)
def sell_item(session: SessionDep, current_user: CurrentUser, id: uuid.UUID) -> Any:
    """
    Sell one.
    """
    taken = session.execute(
        update(Item)
        .where(Item.id == id, Item.owner_id == current_user.id, Item.quantity > 0)
        .values(quantity=Item.quantity - 1)
    )
    if not taken.rowcount:
        raise HTTPException(status_code=409, detail="None is left")
    session.commit()
    return session.get(Item, id)


@router.delete("/{id}", status_code=status.HTTP_204_NO_CONTENT)
def delete_item(session: SessionDep, current_user: CurrentUser, id: uuid.UUID) -> None:
    """
    Delete an item.
    """
    item = session.get(Item, id)
    if not item:
        raise HTTPException(status_code=404, detail="Item not found")
    if not current_user.is_superuser and (item.owner_id != current_user.id):
        raise HTTPException(status_code=403, detail="Not enough permissions")
    session.delete(item)
    session.commit()
