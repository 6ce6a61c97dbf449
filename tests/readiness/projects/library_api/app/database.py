from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, sessionmaker

SessionLocal = sessionmaker()


class Base(DeclarativeBase):
    pass


def init_db(url):
    engine = create_engine(url, connect_args={"check_same_thread": False} if url.startswith("sqlite") else {})
    SessionLocal.configure(bind=engine)
    Base.metadata.create_all(bind=engine)


def get_db():
    db = SessionLocal()
    try:
        yield db
    finally:
        db.close()
