"""One small service written twice, in stock FastAPI and SQLAlchemy and in Freehold, and put through the same faults."""
