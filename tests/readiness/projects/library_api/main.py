import os

from app import create_app
from config import DevelopmentConfig, ProductionConfig

app = create_app(ProductionConfig if os.environ.get("APP_ENV") == "production" else DevelopmentConfig)
