"""Fetching what somebody else's address names, without being led inside (BEHAVIOURS W01 to W03)."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from ipaddress import ip_address

import httpx2

from freehold.traffic.addresses import is_public, literal

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a host, in the order in which they are to be tried. Raises OSError where there are none."""

_PORTS = {"http": 80, "https": 443}
_INSIDE_NAMES = ("localhost", "local", "internal", "home.arpa", "localdomain")
_REDIRECTS = (301, 302, 303, 307, 308)
_MOST_ADDRESSES = 3
_HOST = re.compile(r"[a-z0-9_][a-z0-9_.-]*|[0-9a-f.]*:[0-9a-f:.]*(%[a-z0-9]+)?")


class FetchFailed(Exception):
    """It could not be fetched now. The text is for whoever gave the address."""


class AddressRefused(FetchFailed):
    """The address leads where it may not, or is none: it is not asked again."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer. headers: by lower-case names. url: where it came from in the end."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str


@dataclass(frozen=True, slots=True)
class _Target:
    url: httpx2.URL
    host: str
    port: int

    @property
    def name(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class _Question:
    method: str
    headers: Mapping[str, str]
    content: bytes | None
    limit_bytes: int


class Fetcher:
    """Asks for addresses that users have given. One is made for a process; it keeps no connections.

    allowed: `host` or `host:port` that may be asked though they are inside (`FREEHOLD_ALLOWED_RECEIVERS`). ports: those
    that may be asked elsewhere. agent: how it calls itself. tls: whose certificates are believed. resolve: for tests.
    """

    def __init__(
        self,
        *,
        allowed: Collection[str] = (),
        ports: Collection[int] = (80, 443),
        agent: str = "Freehold",
        tls: ssl.SSLContext | None = None,
        resolve: Resolve | None = None,
    ) -> None:
        self._allowed = frozenset(name.lower() for name in allowed)
        self._ports = frozenset(ports)
        self._agent = "".join(letter for letter in agent if letter.isascii() and letter.isprintable())
        self._tls = tls
        self._resolve = resolve or _resolved

    def check(self, url: str) -> None:
        """Refuse an address that can be seen to lead inside, without asking anybody. Raises AddressRefused."""
        target = self._target(url)
        if self._is_allowed(target):
            return
        address = literal(target.host)
        inside = address is None and ("." not in target.host or target.host.endswith(_suffixes(_INSIDE_NAMES)))
        if inside or (address is not None and not is_public(address)):
            raise AddressRefused("The address is not one of the public internet.")

    def require_secret(self, url: str) -> None:
        """Refuse an address that would be asked in the clear, unless it is one of `allowed`. Raises AddressRefused."""
        target = self._target(url)
        if target.url.scheme != "https" and not self._is_allowed(target):
            raise AddressRefused("Only addresses that begin with https:// are taken here.")

    async def check_name(self, url: str, *, timeout_seconds: float = 2.0) -> None:
        """Refuse an address whose name leads inside, too. Raises AddressRefused; asks a name server, so not in a transaction.

        A name that is not known now, or not in time, is let through: it is looked at again whenever it is fetched.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_seconds):
                try:
                    await self._addresses(self._target(url))
                except AddressRefused:
                    raise
                except FetchFailed:
                    return

    async def fetch(
        self,
        url: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        limit_bytes: int = 64 * 1024,
        timeout_seconds: float = 10.0,
        redirects: int = 0,
    ) -> Fetched:
        """Ask for it, and read the whole answer, whatever its status.

        The host is resolved once, every address of it is checked, and a checked one is connected to. limit_bytes: of
        the body; 0 where nobody wants it, which then is not read. timeout_seconds: for everything. redirects: so many are followed, each checked like the first.
        Raises AddressRefused, or FetchFailed where nobody answers, or too late, or too much.
        """
        try:
            async with asyncio.timeout(timeout_seconds):
                return await self._follow(url, _Question(method, headers or {}, content, limit_bytes), redirects)
        except TimeoutError:
            raise FetchFailed(f"It took longer than {timeout_seconds:g} seconds.") from None

    async def _follow(self, url: str, question: _Question, redirects: int) -> Fetched:
        for left in range(redirects, -1, -1):
            target = self._target(url)
            answer = await self._ask(target, question)
            location = answer.headers.get("location")
            if not redirects or answer.status not in _REDIRECTS or location is None:
                return answer
            if not left:
                break
            url, headers = _redirected(target, location, question.headers)
            question = replace(question, headers=headers)
        raise FetchFailed("It redirects too often.")

    def _target(self, url: str) -> _Target:
        try:
            parsed = httpx2.URL(url)
            host, port = parsed.raw_host.decode("ascii").lower().rstrip("."), parsed.port or _PORTS.get(parsed.scheme)
        except (httpx2.InvalidURL, UnicodeError, ValueError):
            raise AddressRefused("This is no web address.") from None
        if parsed.scheme not in _PORTS or not _HOST.fullmatch(host) or port is None:
            raise AddressRefused("Only addresses that begin with https:// or http:// can be fetched.")
        if parsed.userinfo:
            raise AddressRefused("The address may not hold a user or a password.")
        target = _Target(parsed, host, port)
        if port not in self._ports and not self._is_allowed(target):
            raise AddressRefused(f"Port {port} may not be asked.")
        return target

    def _is_allowed(self, target: _Target) -> bool:
        return target.host in self._allowed or target.name in self._allowed

    async def _addresses(self, target: _Target) -> Sequence[str]:
        self.check(str(target.url))
        try:
            found = await self._resolve(target.host.strip("[]"), target.port)
        except (OSError, UnicodeError):
            raise FetchFailed("There is no such host.") from None
        # All of them: a name with an address inside and one outside is how a guard is walked round.
        if not self._is_allowed(target) and not all(is_public(ip_address(each.partition("%")[0])) for each in found):
            raise AddressRefused("The address is not one of the public internet.")
        return list(found)[:_MOST_ADDRESSES]

    async def _ask(self, target: _Target, question: _Question) -> Fetched:
        error: Exception | None = None
        for address in await self._addresses(target):
            try:
                return await self._ask_at(address, target, question)
            except (httpx2.ConnectError, httpx2.ConnectTimeout) as failed:
                error = failed
            except httpx2.HTTPError as failed:
                error = failed
                break
        raise FetchFailed(_told(error)) from error

    async def _ask_at(self, address: str, target: _Target, question: _Question) -> Fetched:
        # The connection goes to the checked address; name and certificate are those of the host.
        pinned = target.url.copy_with(host=address)
        sent = httpx2.Headers({"User-Agent": self._agent, "Accept-Encoding": "identity"})
        sent.update(question.headers)
        sent["Host"] = _host_header(target)
        # `fetch` limits the time of all of it. No proxy, no .netrc: what the environment says is not for other people's addresses.
        async with httpx2.AsyncClient(verify=self._context(), trust_env=False, timeout=None) as client:
            asked = client.build_request(
                question.method,
                pinned,
                headers=sent,
                content=question.content,
                extensions={"sni_hostname": target.host},
            )
            answer = await client.send(asked, stream=True, follow_redirects=False)
            try:
                body = await _read(answer, question.limit_bytes) if question.limit_bytes else b""
            finally:
                await answer.aclose()
        return Fetched(answer.status_code, dict(answer.headers), body, str(target.url))

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = ssl.create_default_context()
        return self._tls


async def _read(answer: httpx2.Response, limit_bytes: int) -> bytes:
    if answer.headers.get("content-encoding", "identity").lower() != "identity":
        raise FetchFailed("It answers compressed, though it was asked not to.")  # a bomb has no size until it is open
    body = bytearray()
    async for chunk in answer.aiter_raw():
        body += chunk
        if len(body) > limit_bytes:
            raise FetchFailed(f"The answer is longer than {limit_bytes:,} bytes.")
    return bytes(body)


def _redirected(target: _Target, location: str, headers: Mapping[str, str]) -> tuple[str, Mapping[str, str]]:
    try:
        led = target.url.join(location)
    except (httpx2.InvalidURL, ValueError):
        raise AddressRefused("It redirects to what is no web address.") from None
    if target.url.scheme == "https" and led.scheme != "https":
        raise AddressRefused("It redirects away from https.")
    if (led.scheme, led.host, led.port) != (target.url.scheme, target.url.host, target.url.port):
        headers = {name: value for name, value in headers.items() if name.lower() in ("accept", "accept-language")}
    return str(led), headers


def _host_header(target: _Target) -> str:
    host = f"[{target.host}]" if ":" in target.host and not target.host.startswith("[") else target.host
    return host if target.port == _PORTS[target.url.scheme] else f"{host}:{target.port}"


def _told(error: Exception | None) -> str:
    if isinstance(error, httpx2.ConnectError) and "CERTIFICATE" in str(error).upper():
        return "Its certificate is not one that can be believed."
    if isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout):
        return "Nobody answers there."
    return "The connection broke off, or what came was no HTTP."


def _suffixes(names: Collection[str]) -> tuple[str, ...]:
    return tuple(f".{name}" for name in names)


async def _resolved(host: str, port: int) -> Sequence[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=1)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))
