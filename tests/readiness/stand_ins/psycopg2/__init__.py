"""What SQLAlchemy asks of the driver when an engine is made. Nothing connects."""

__version__ = "2.9.10"
apilevel = "2.0"
threadsafety = 2
paramstyle = "pyformat"


class Error(Exception):
    pass
