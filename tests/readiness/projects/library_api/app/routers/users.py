from fastapi import APIRouter, Depends, HTTPException, Request
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.security import check_password_hash, generate_password_hash

from app.database import get_db
from app.extensions import limiter
from app.models import Users
from app.schemas import Login, UserIn, UserOut
from app.util.auth import current_user_id, encode_token

router = APIRouter()


@router.post("/login")
# @limiter.limit("5 per 10 minutes")
def login(credentials: Login, db: Session = Depends(get_db)):
    user = db.execute(select(Users).where(Users.email == credentials.email)).scalars().first()

    if user and check_password_hash(user.password, credentials.password):
        token = encode_token(user.id, user.role)
        return {
            "message": f"Welcome {user.first_name}",
            "token": token,
            "user": UserOut.model_validate(user),
        }
    raise HTTPException(status_code=401, detail="Invalid email or password")


@router.post("", response_model=UserOut, status_code=201)
def create_user(data: UserIn, db: Session = Depends(get_db)):
    new_user = Users(**data.model_dump())
    new_user.password = generate_password_hash(data.password)
    try:
        db.add(new_user)
        db.commit()
    except:
        raise HTTPException(status_code=400, detail="Email is already taken")
    return new_user


@router.get("", response_model=list[UserOut])
def get_users(db: Session = Depends(get_db)):
    return db.execute(select(Users)).scalars().all()


@router.get("/profile", response_model=UserOut)
@limiter.limit("15/hour")
def get_profile(request: Request, user_id: int = Depends(current_user_id), db: Session = Depends(get_db)):
    return db.get(Users, user_id)


@router.put("", response_model=UserOut)
def update_user(data: UserIn, user_id: int = Depends(current_user_id), db: Session = Depends(get_db)):
    user = db.get(Users, user_id)
    if not user:
        raise HTTPException(status_code=404, detail="User not found")

    values = data.model_dump()
    values["password"] = generate_password_hash(data.password)
    for key, value in values.items():
        setattr(user, key, value)
    db.commit()
    return user


@router.delete("")
def delete_user(user_id: int = Depends(current_user_id), db: Session = Depends(get_db)):
    user = db.get(Users, user_id)
    db.delete(user)
    db.commit()
    return {"message": f"User {user_id} deleted"}
