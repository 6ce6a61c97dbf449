"""The service as the documentation of FastAPI and SQLAlchemy shows how to write one."""
