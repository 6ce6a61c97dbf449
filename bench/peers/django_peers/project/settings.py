"""Settings of a service that only answers with JSON."""

import os
from urllib.parse import urlsplit

_url = urlsplit(os.environ["DATABASE_URL"])
SECRET_KEY = os.environ["TOKEN_SECRET"]
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = os.environ.get("PEER_URLS", "project.drf_urls")
INSTALLED_APPS = ["rest_framework", "project"]
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
APPEND_SLASH = False
USE_TZ = True
TIME_ZONE = "UTC"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _url.path.lstrip("/"),
        "USER": _url.username,
        "PASSWORD": _url.password or "",
        "HOST": _url.hostname,
        "PORT": _url.port or 5432,
        "OPTIONS": {"pool": {"min_size": 10, "max_size": 16}},
    }
}
REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_AUTHENTICATION_CLASSES": ["project.auth.BearerAuthentication"],
    "UNAUTHENTICATED_USER": None,
}
