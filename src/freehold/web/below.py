"""Plain FastAPI applications that are mounted below one that Freehold stands in: its accounts judge their paths, too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fastapi import FastAPI
from starlette.routing import BaseRoute, Mount

from freehold.errors import ConfigurationError, Problem
from freehold.web.problems import answer
from freehold.web.unguarded import refuse_unkept_limits


def join_below(app: FastAPI) -> None:
    """Have paths with `allow` of what is mounted judged as those of `app` are. All else there stays FastAPI's.

    One that Freehold was installed in has callers of its own. Raises ConfigurationError for one that is mounted in two
    places with different accounts, and for limits that nobody would keep.
    """
    for inner in _plain_below(app.routes):
        above = getattr(inner.state, "freehold_above", app.state.freehold)
        if above is not app.state.freehold:
            raise ConfigurationError(
                f"the application {inner.title!r} is mounted below two with different accounts: make one for each"
            )
        inner.state.freehold_above = above
        inner.exception_handlers.setdefault(Problem, answer)
        refuse_unkept_limits(inner)


def _plain_below(routes: Iterable[BaseRoute]) -> Iterator[FastAPI]:
    for route in routes:
        if not isinstance(route, Mount) or hasattr(getattr(route.app, "state", None), "freehold"):
            continue
        if isinstance(route.app, FastAPI):
            yield route.app
        yield from _plain_below(route.routes)
