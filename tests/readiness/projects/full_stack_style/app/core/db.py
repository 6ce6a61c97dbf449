from sqlalchemy import create_engine, select
from sqlalchemy.orm import DeclarativeBase, Session

from app.core.config import settings

engine = create_engine(settings.SQLALCHEMY_DATABASE_URI, pool_pre_ping=True)


class Base(DeclarativeBase):
    pass


def init_db(session: Session, email: str, password: str) -> None:
    # Tables are made by Alembic migrations.
    from app import crud
    from app.models import User
    from app.schemas import UserCreate

    user = session.scalars(select(User).where(User.email == email)).first()
    if not user:
        crud.create_user(session=session, user_create=UserCreate(email=email, password=password, is_superuser=True))
