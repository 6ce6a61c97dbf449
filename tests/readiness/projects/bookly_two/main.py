from fastapi import FastAPI

from src import models
from src.database import engine
from src.routes import router

models.Base.metadata.create_all(bind=engine)

app = FastAPI(title="Bookly")
app.include_router(router)
