from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from slowapi import _rate_limit_exceeded_handler
from slowapi.errors import RateLimitExceeded

from app.database import init_db
from app.extensions import limiter
from app.routers import books, items, loans, orders, users


def create_app(config):
    app = FastAPI(title="Library API")
    app.add_middleware(CORSMiddleware, allow_origins=["*"], allow_methods=["*"], allow_headers=["*"])
    app.state.limiter = limiter
    app.add_exception_handler(RateLimitExceeded, _rate_limit_exceeded_handler)

    init_db(config.DATABASE_URL)

    app.include_router(users.router, prefix="/users", tags=["users"])
    app.include_router(books.router, prefix="/books", tags=["books"])
    app.include_router(loans.router, prefix="/loans", tags=["loans"])
    app.include_router(orders.router, prefix="/orders", tags=["orders"])
    app.include_router(items.router, prefix="/items", tags=["items"])
    return app
