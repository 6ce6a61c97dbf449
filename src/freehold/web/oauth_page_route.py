"""The route classes of the provider's pages, which are pages of the service like the others (`freehold.web.pages`)."""

from __future__ import annotations

from starlette.requests import Request

from freehold.resource.access import Rule
from freehold.web.oauth_quota import count_address
from freehold.web.pages.route import PageRoute


class ProviderPage(PageRoute):
    """A page of the provider: each address has so many requests to it, as for a log-in (R05)."""

    async def admit(self, request: Request, rule: Rule) -> None:
        """See `PageRoute`."""
        await count_address(request, self.path)
        await super().admit(request, rule)


class FormOfOthers(PageRoute):
    """What pages of others may send forms to. It changes nothing, looks at no log-in, and leads to a page that does."""

    async def admit(self, request: Request, rule: Rule) -> None:
        """See `PageRoute`."""
        await count_address(request, self.path)
