"""The names of slowapi that the projects import. The audit imports them and calls nothing but the decorator."""

import functools
from collections.abc import Callable
from typing import Any


class Limiter:
    def __init__(self, key_func: Callable[..., Any], default_limits: Any = (), storage_uri: str | None = None) -> None:
        pass

    def limit(self, quota: str) -> Callable[..., Any]:
        def decorated(handler: Callable[..., Any]) -> Callable[..., Any]:
            @functools.wraps(handler)
            def limited(*args: Any, **kwargs: Any) -> Any:
                return handler(*args, **kwargs)

            return limited

        return decorated


def _rate_limit_exceeded_handler(*_: Any) -> None:
    raise NotImplementedError
