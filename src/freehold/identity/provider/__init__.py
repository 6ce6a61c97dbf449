"""The service as OAuth 2.1 and OpenID Connect provider: clients, codes, consents, grants.

Belongs here: what an application of others may hold, and how it gets and loses it. Never here: HTTP and pages (see
`freehold.web.oauth`). A grant is a log-in like any other (`families`): judged, listed and ended with the rest.
"""

from freehold.identity.provider.clients import Client, Draft
from freehold.identity.provider.declaration import Provider, ProviderParts

__all__ = ["Client", "Draft", "Provider", "ProviderParts"]
