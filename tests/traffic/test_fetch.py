"""Fetching for others, against real servers: nothing inside is asked, and nobody holds the service up."""

from __future__ import annotations

import asyncio
import gzip
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from tests.certificates import certificate

from freehold.traffic.addresses import is_public, literal
from freehold.traffic.fetch import AddressRefused, Fetcher, FetchFailed

pytestmark = pytest.mark.anyio

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


class Server:
    """What was asked of it, and what it says to each path."""

    def __init__(self) -> None:
        self.port = 0
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.says: dict[str, bytes | Answer] = {}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            path = head[0].split()[1]
            self.asked.append((path, dict(line.lower().split(": ", 1) for line in head[1:] if line)))
            said = self.says.get(path, answer(404, b"nothing here"))
            if callable(said):
                await said(writer)
            else:
                writer.write(said)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


def answer(status: int, body: bytes = b"", **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} So", f"Content-Length: {len(body)}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


@asynccontextmanager
async def running(tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    server = Server()
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=tls)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        await listening.wait_closed()


def at(*addresses: str) -> tuple[Callable[[str, int], Awaitable[Sequence[str]]], list[str]]:
    """A resolver that gives the addresses, one answer after the other, and the names that it was asked for."""
    asked: list[str] = []

    async def resolve(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return addresses[min(len(asked), len(addresses)) - 1].split()

    return resolve, asked


INSIDE_LINES = """
127.0.0.1 127.8.9.1 0.0.0.0 10.0.0.1 172.16.5.4 192.168.1.1 169.254.169.254 100.64.0.1 100.100.100.200 168.63.129.16
192.0.0.8 192.0.2.1 198.18.0.1 198.51.100.7 203.0.113.9 224.0.0.1 240.0.0.1 255.255.255.255 192.88.99.1
:: ::1 ::7f00:1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 64:ff9b::7f00:1 64:ff9b::a9fe:a9fe 2002:7f00:1:: 2002:a00:1::
fe80::1 fec0::1 fc00::1 fd00:ec2::254 ff02::1 2001:db8::1 2001::1 100::1
"""
INSIDE = INSIDE_LINES.split()


class TestAddresses:
    @pytest.mark.parametrize("address", INSIDE)
    async def test_W01_what_is_inside_is_refused(self, address: str) -> None:
        assert not is_public(ip_address(address))
        resolve, _ = at(address)
        fetcher = Fetcher(resolve=resolve)
        host = f"[{address}]" if ":" in address else address
        with pytest.raises(AddressRefused):
            fetcher.check(f"http://{host}/")
        for url in (f"https://{host}/", "https://innocent.example/"):  # written, or what a name leads to
            with pytest.raises(AddressRefused, match="public internet"):
                await fetcher.fetch(url)

    @pytest.mark.parametrize(
        "address", ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"]
    )
    def test_what_is_outside_is_not(self, address: str) -> None:
        assert is_public(ip_address(address))

    @pytest.mark.parametrize(
        "host",
        [
            "2130706433",
            "0x7f000001",
            "0177.0.0.1",
            "0x7f.1",
            "127.1",
            "[::ffff:7f00:1]",
            "[0:0:0:0:0:0:0:1]",
            "127.0.0.1.",
            "localhost",
            "LOCALHOST.",
            "db.localhost",
            "printer.local",
            "metadata.google.internal",
            "intranet",
            "①②⑦.⓪.⓪.①",
        ],
    )
    async def test_W01_no_spelling_of_a_host_leads_inside(self, host: str) -> None:
        resolve, asked = at("93.184.216.34")
        with pytest.raises(AddressRefused):
            Fetcher().check(f"http://{host}/")
        with pytest.raises(AddressRefused):
            await Fetcher(resolve=resolve).fetch(f"http://{host}/")
        assert asked == []

    @pytest.mark.parametrize(
        "url",
        [
            "file:///etc/passwd",
            "gopher://a.example/",
            "ftp://a.example/",
            "//a.example/",
            "a.example",
            "",
            "http://",
            "http:///x",
            "http://a.example:22/",
            "https://a.example:6379/",
            "http://a.example:99999/",
            "http://a.example:x/",
            "http://me@a.example/",
            "http://me:pw@a.example/",
            "http://a.example\r\nX: y/",
            "http://a .example/",
            "http://[::1/",
        ],
    )
    async def test_W01_W02_schemes_ports_and_users_that_are_not_listed(self, url: str) -> None:
        with pytest.raises(AddressRefused):
            Fetcher().check(url)

    def test_what_is_allowed_is_allowed_by_name_and_port(self) -> None:
        fetcher = Fetcher(allowed=["127.0.0.1:9000", "hooks.internal"])
        for url in ("http://127.0.0.1:9000/x", "http://hooks.internal:81/", "https://a.example/"):
            fetcher.check(url)
        for url in (
            "http://127.0.0.1:9001/",
            "http://127.0.0.1/",
            "http://localhost:9000/",
            "http://x.hooks.internal/",
        ):
            with pytest.raises(AddressRefused):
                fetcher.check(url)
        assert literal("0x7f.1") == ip_address("127.0.0.1")
        assert literal("a.example") is None


class TestSending:
    async def test_W02_a_name_is_resolved_once_and_that_address_connected_to(self) -> None:
        async with running() as server:
            server.says["/x?y=1"] = answer(200, b"hello", ETag='"1"')
            resolve, asked = at("127.0.0.1", "169.254.169.254")
            name = f"rebind.example:{server.port}"
            fetcher = Fetcher(allowed=[name], resolve=resolve)
            got = await fetcher.fetch(f"http://{name}/x?y=1", headers={"If-None-Match": '"0"', "Host": "spoofed"})
        assert (got.status, got.body, got.headers["etag"], got.url) == (200, b"hello", '"1"', f"http://{name}/x?y=1")
        assert asked == ["rebind.example"]
        ((path, headers),) = server.asked
        assert (path, headers["host"], headers["if-none-match"]) == ("/x?y=1", name, '"0"')
        assert headers["accept-encoding"] == "identity"

    async def test_W01_one_address_inside_among_those_of_a_name_is_enough(self) -> None:
        resolve, _ = at("93.184.216.34 10.0.0.1")
        with pytest.raises(AddressRefused, match="public"):
            await Fetcher(resolve=resolve).fetch("https://both.example/")

    async def test_W01_a_name_that_leads_inside_is_refused_when_it_is_set(self) -> None:
        for found in ("10.0.0.1", "93.184.216.34 ::1"):
            with pytest.raises(AddressRefused, match="public"):
                await Fetcher(resolve=at(found)[0]).check_name("https://both.example/")
        with pytest.raises(AddressRefused, match="user"):
            await Fetcher(resolve=at("93.184.216.34")[0]).check_name("https://me:secret@both.example/")

        async def unknown(host: str, port: int) -> Sequence[str]:
            raise OSError

        async def slow(host: str, port: int) -> Sequence[str]:
            await asyncio.sleep(60)
            return ["10.0.0.1"]

        for resolve in (
            at("93.184.216.34")[0],
            unknown,
            slow,
        ):  # what is not known now is looked at again when it is fetched
            await Fetcher(resolve=resolve).check_name("https://later.example/", timeout_seconds=0.01)

    async def test_the_environment_sends_nothing_elsewhere(self, monkeypatch: pytest.MonkeyPatch) -> None:
        async with running() as server, running() as proxy:
            server.says["/"] = answer(200, b"direct")
            for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
                monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
            url = f"127.0.0.1:{server.port}"
            assert (await Fetcher(allowed=[url]).fetch(f"http://{url}/")).body == b"direct"
        assert proxy.asked == []

    async def test_W02_redirects_are_not_followed_unless_asked_and_each_is_checked(self) -> None:
        async with running() as server, running() as inside:
            home = f"127.0.0.1:{server.port}"
            inside.says["/"] = answer(200, b"secret")
            server.says = {
                "/in": answer(302, Location=f"http://127.0.0.1:{inside.port}/"),
                "/meta": answer(307, Location="http://169.254.169.254/latest"),
                "/file": answer(301, Location="file:///etc/passwd"),
                "/round": answer(308, Location="/round"),
                "/one": answer(303, Location="two?x=1"),
                "/two?x=1": answer(200, b"there"),
            }
            fetcher = Fetcher(allowed=[home])
            assert (await fetcher.fetch(f"http://{home}/one")).status == 303
            got = await fetcher.fetch(f"http://{home}/one", redirects=3)
            assert (got.body, got.url) == (b"there", f"http://{home}/two?x=1")
            for path in ("/in", "/meta", "/file"):
                with pytest.raises(AddressRefused):
                    await fetcher.fetch(f"http://{home}{path}", redirects=3)
            with pytest.raises(FetchFailed, match="too often"):
                await fetcher.fetch(f"http://{home}/round", redirects=3)
            assert inside.asked == []
            other = f"127.0.0.1:{inside.port}"
            await Fetcher(allowed=[home, other]).fetch(
                f"http://{home}/in", redirects=1, headers={"Authorization": "Bearer x", "Accept": "text/calendar"}
            )
            ((_, headers),) = inside.asked
            assert "authorization" not in headers
            assert headers["accept"] == "text/calendar"

    async def test_W03_too_long_too_late_and_compressed_answers_are_given_up(self) -> None:
        async def endless(writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 200 So\r\n\r\n")
            while not writer.is_closing():
                writer.write(b"x" * 65536)
                await writer.drain()

        async def silent(writer: asyncio.StreamWriter) -> None:
            await asyncio.sleep(30)

        async def dripping(writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 200 So\r\n\r\n")
            while not writer.is_closing():
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.02)

        async def junk(writer: asyncio.StreamWriter) -> None:
            writer.write(b"220 mail.example ESMTP\r\n")

        async with running() as server:
            bomb = answer(200, gzip.compress(bytes(5_000_000)), Content_Encoding="gzip")
            server.says = {"/endless": endless, "/silent": silent, "/drip": dripping, "/bomb": bomb, "/junk": junk}
            server.says["/fits"] = answer(200, b"x" * 1000)
            home = f"127.0.0.1:{server.port}"
            fetcher = Fetcher(allowed=[home])
            told: dict[str, str] = {}
            for path, seconds in (("/endless", 30), ("/silent", 0.2), ("/drip", 0.2), ("/bomb", 30), ("/junk", 30)):
                with pytest.raises(FetchFailed) as failed:
                    await fetcher.fetch(f"http://{home}{path}", limit_bytes=100_000, timeout_seconds=seconds)
                told[path] = str(failed.value)
            assert told == {
                "/endless": "The answer is longer than 100,000 bytes.",
                "/silent": "It took longer than 0.2 seconds.",
                "/drip": "It took longer than 0.2 seconds.",
                "/bomb": "It answers compressed, though it was asked not to.",
                "/junk": "The connection broke off, or what came was no HTTP.",
            }
            assert len((await fetcher.fetch(f"http://{home}/fits", limit_bytes=1000)).body) == 1000
            with pytest.raises(FetchFailed, match="longer"):
                await fetcher.fetch(f"http://{home}/fits", limit_bytes=999)
        with pytest.raises(FetchFailed, match="Nobody answers"):
            await fetcher.fetch(f"http://{home}/fits")

    async def test_the_certificate_has_to_be_the_host_s_though_an_address_is_connected_to(self, tmp_path: Path) -> None:
        server_tls, client_tls = certificate(tmp_path, "secure.example")
        async with running(server_tls) as server:
            server.says["/"] = answer(200, b"sealed")
            resolve, _ = at("127.0.0.1")
            names = [f"{name}.example:{server.port}" for name in ("secure", "other")]
            fetcher = Fetcher(allowed=names, tls=client_tls, resolve=resolve)
            assert (await fetcher.fetch(f"https://{names[0]}/")).body == b"sealed"
            with pytest.raises(FetchFailed, match="certificate"):
                await fetcher.fetch(f"https://{names[1]}/")
            strangers = Fetcher(allowed=names, resolve=resolve)
            with pytest.raises(FetchFailed, match="certificate"):
                await strangers.fetch(f"https://{names[0]}/")

    async def test_a_host_that_is_not_there_is_said(self) -> None:
        async def nowhere(host: str, port: int) -> Any:
            raise OSError("no such host")

        with pytest.raises(FetchFailed, match="no such host"):
            await Fetcher(resolve=nowhere).fetch("https://gone.example/")
