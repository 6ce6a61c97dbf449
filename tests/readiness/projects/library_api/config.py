import os


class DevelopmentConfig:
    DATABASE_URL = "sqlite:///app.db"
    DEBUG = True
    CACHE_TYPE = "SimpleCache"


class TestingConfig:
    DATABASE_URL = "sqlite:///testing.db"
    DEBUG = True
    CACHE_TYPE = "SimpleCache"


class ProductionConfig:
    DATABASE_URL = os.environ.get("DATABASE_URL") or "sqlite:///app.db"
    DEBUG = False
    CACHE_TYPE = "SimpleCache"
