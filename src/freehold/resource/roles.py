"""Roles, what each of them comes to, and what each may do: declared in one place.

A permission is a name with a colon (`listings:publish`). No account holds one itself: it follows from the roles that the
account holds, so whoever changes the declaration changes what everybody may do, at the next start and not in the rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from freehold.errors import ConfigurationError

_ROLE: Final = re.compile(r"[a-z][a-z0-9_-]{0,63}")
_PERMISSION: Final = re.compile(r"[a-z][a-z0-9_-]{0,63}:[a-z][a-z0-9_-]{0,63}")


def is_permission(name: str) -> bool:
    """Whether a name is one of a permission and not of a role."""
    return ":" in name


class Roles:
    """The roles of a service, or of the members of an organisation.

    Each with the roles that it includes and the permissions that it adds::

        Roles(admin=["reviewer", "accounts:close"], reviewer=["listings:publish"], tenant=[])

    Here an admin passes `role("reviewer")` and `permission("listings:publish")` too. declared: for names that are no
    Python names. Raises ConfigurationError for a name that is of neither form, a role that is not declared, and a circle.
    """

    def __init__(self, declared: Mapping[str, Sequence[str]] | None = None, /, **roles: Sequence[str]) -> None:
        given = {**(declared or {}), **roles}
        for name, adds in given.items():
            if isinstance(adds, str):
                raise ConfigurationError(f"Roles: write {name}=[{adds!r}], a list")
        self._direct = {name: tuple(adds) for name, adds in given.items()}
        self._check()
        self._all = {name: frozenset(self._reached(name, ())) for name in self._direct}

    @property
    def names(self) -> tuple[str, ...]:
        """The roles, in the order of declaration."""
        return tuple(self._direct)

    @property
    def permissions(self) -> frozenset[str]:
        """Every permission that some role has."""
        return frozenset(name for names in self._all.values() for name in names if is_permission(name))

    def knows(self, name: str) -> bool:
        """Whether it is one of the roles or permissions."""
        return name in self._direct or name in self.permissions

    def expanded(self, held: Iterable[str]) -> frozenset[str]:
        """The roles that are held, and all that they come to. A permission that is held by itself counts for nothing."""
        roles = [name for name in held if not is_permission(name)]
        return frozenset(roles).union(*(self._all.get(name, ()) for name in roles))

    def holding(self, name: str) -> tuple[str, ...]:
        """The roles that are this one or come to it, or have this permission. Raises ConfigurationError for an unknown one."""
        if not self.knows(name):
            raise ConfigurationError(f"there is no role {name!r}; declared are {', '.join(self.names) or 'none'}")
        return tuple(role for role in self._direct if role == name or name in self._all[role])

    def _check(self) -> None:
        for role, adds in self._direct.items():
            if not _ROLE.fullmatch(role):
                raise ConfigurationError(f"Roles: {role!r} is no name of a role (a-z, digits, - and _)")
            for name in adds:
                if is_permission(name) and not _PERMISSION.fullmatch(name):
                    raise ConfigurationError(f"Roles: {role!r} has {name!r}; write permissions as noun:verb")
                if not is_permission(name) and name not in self._direct:
                    raise ConfigurationError(
                        f"Roles: {role!r} includes {name!r}, which is not declared: add {name}=[…]"
                    )

    def _reached(self, role: str, way: tuple[str, ...]) -> Iterator[str]:
        if role in way:
            raise ConfigurationError(f"Roles: {' includes '.join((*way, role))}, which is a circle")
        for name in self._direct[role]:
            yield name
            if not is_permission(name):
                yield from self._reached(name, (*way, role))


ORGANISATION_ROLES: Final = Roles(owner=["manager"], manager=["member"], member=[])
"""The roles within an organisation, where a service declares none of its own."""
