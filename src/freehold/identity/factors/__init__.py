"""Second factors: codes of an app (TOTP), passkeys, recovery codes; and the step of a log-in that takes them.

Belongs here: what proves that somebody is who the password said. Never here: HTTP (`freehold.web.identity_factors`).
"""
