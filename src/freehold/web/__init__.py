"""HTTP: the only package that knows FastAPI. Applications, the edge, route classes, documents."""
