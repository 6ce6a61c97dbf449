"""Log in by a link that comes by mail: asked for in a browser, opened in the same one, confirmed by a button there.

Belongs here: who gets a link, and what its opening does to an account. Never here: cookies and pages.
"""

from freehold.identity.magic_links.declaration import MagicLinks

__all__ = ["MagicLinks"]
