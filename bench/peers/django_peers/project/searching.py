"""The conditions of a list, and a change that names the version it has seen: the same for both."""

from django.contrib.postgres.search import SearchQuery, SearchVector
from django.db.models import F
from django.utils import timezone

from project.models import Property


def wanted(params):
    found = Property.objects.all()
    for name in ("city", "kind", "bedrooms__gte"):
        if params.get(name) is not None:
            found = found.filter(**{name: params[name]})
    if params.get("q") is not None:
        vector = SearchVector("title", config="simple")
        found = found.annotate(words=vector).filter(words=SearchQuery(params["q"], config="simple"))
    return found


def tag(row):
    return f'"{row.row_version}"'


def change(key, seen, changes):
    """How many rows were changed: none where the version is another by now."""
    version = int(seen.strip('"'))
    rows = Property.objects.filter(pk=key, row_version=version)
    return rows.update(**changes, updated_at=timezone.now(), row_version=F("row_version") + 1)
