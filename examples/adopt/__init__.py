"""A FastAPI and SQLAlchemy application as people write them, and the same with Freehold around it."""
