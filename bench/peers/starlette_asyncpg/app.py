"""Bare Starlette, SQL by hand on asyncpg's pool, orjson. What comes in is not validated."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import jwt
import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from tokens import subject

GIVEN = (
    "title, description, city, kind, bedrooms, bathrooms, area_m2, price_amount, price_currency, latitude, longitude, built_in"
)
SHOWN = f"id, {GIVEN}, owner_id, created_at, updated_at"
PLACES = ", ".join(f"${number}" for number in range(3, 15))
ONE = f"SELECT {SHOWN}, row_version FROM properties WHERE id = $1"
ME = "SELECT id, email, full_name, roles, is_active, email_verified_at, created_at, updated_at FROM users WHERE id = $1"
NOTES = (
    "SELECT id, text, owner_id, created_at, updated_at FROM notes WHERE owner_id = $1 ORDER BY created_at DESC, id DESC LIMIT $2"
)
INSERT = (
    f"INSERT INTO properties (id, owner_id, {GIVEN}, created_at, updated_at, row_version) "
    f"VALUES ($1, $2, {PLACES}, now(), now(), 1) RETURNING {SHOWN}"
)
UPDATE = (
    f"UPDATE properties SET price_amount = $3, updated_at = now(), row_version = row_version + 1 "
    f"WHERE id = $1 AND row_version = $2 RETURNING {SHOWN}, row_version"
)
CONDITIONS = {
    "city": "city = ${}",
    "kind": "kind = ${}",
    "bedrooms__gte": "bedrooms >= ${}::int",
    "q": "to_tsvector('simple', title) @@ plainto_tsquery('simple', ${})",
}
pool: asyncpg.Pool


def answer(value: Any, *, status: int = 200, tag: str = "") -> Response:
    body = orjson.dumps(value, default=str, option=orjson.OPT_UTC_Z)  # ids are of a class of asyncpg
    return Response(body, status, {"etag": tag} if tag else None, "application/json")


async def user(request: Request) -> UUID:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    try:
        return UUID(subject(token if scheme == "Bearer" else ""))
    except jwt.InvalidTokenError:
        raise HTTPException(401) from None


async def status(request: Request) -> Response:
    return answer({"status": "ok"})


async def one(request: Request) -> Response:
    row = await pool.fetchrow(ONE, UUID(request.path_params["id"]))
    if row is None:
        raise HTTPException(404)
    found = dict(row)
    tag = f'"{found.pop("row_version")}"'
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers={"etag": tag})
    return answer(found, tag=tag)


async def several(request: Request) -> Response:
    where, values = [], []
    for name, condition in CONDITIONS.items():
        if name in request.query_params:
            value = request.query_params[name]
            values.append(int(value) if name == "bedrooms__gte" else value)
            where.append(condition.format(len(values)))
    limit, offset = int(request.query_params.get("limit", 20)), int(request.query_params.get("offset", 0))
    text = f"SELECT {SHOWN} FROM properties" + (f" WHERE {' AND '.join(where)}" if where else "")
    text += f" ORDER BY created_at DESC, id DESC LIMIT {limit} OFFSET {offset}"
    return answer({"items": [dict(row) for row in await pool.fetch(text, *values)]})


async def create(request: Request) -> Response:
    who, draft = await user(request), orjson.loads(await request.body())
    async with pool.acquire() as connection, connection.transaction():
        me = await connection.fetchrow(ME, who)
        if me is None or not me["is_active"]:
            raise HTTPException(401)
        row = await connection.fetchrow(INSERT, uuid4(), who, *(draft[name] for name in GIVEN.split(", ")))
    return answer(dict(row), status=201)


async def update(request: Request) -> Response:
    who, changes = await user(request), orjson.loads(await request.body())
    version = int(request.headers["if-match"].strip('"'))
    async with pool.acquire() as connection, connection.transaction():
        me = await connection.fetchrow(ME, who)
        if me is None or not me["is_active"]:
            raise HTTPException(401)
        row = await connection.fetchrow(UPDATE, UUID(request.path_params["id"]), version, changes["price_amount"])
    if row is None:
        raise HTTPException(412)
    found = dict(row)
    return answer(found, tag=f'"{found.pop("row_version")}"')


async def notes(request: Request) -> Response:
    who = await user(request)
    limit = int(request.query_params.get("limit", 20))
    return answer({"items": [dict(row) for row in await pool.fetch(NOTES, who, limit)]})


async def me(request: Request) -> Response:
    row = await pool.fetchrow(ME, await user(request))
    if row is None or not row["is_active"]:
        raise HTTPException(401)
    return answer({**row, "roles": orjson.loads(row["roles"])})


@contextlib.asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    global pool  # noqa: PLW0603  # as the documentation of asyncpg has it
    async with asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=10, max_size=10) as pool:
        yield


app = Starlette(
    lifespan=lifespan,
    routes=[
        Route("/v1/status", status),
        Route("/v1/users/me", me),
        Route("/v1/notes", notes),
        Route("/v1/properties", several),
        Route("/v1/properties", create, methods=["POST"]),
        Route("/v1/properties/{id}", one),
        Route("/v1/properties/{id}", update, methods=["PATCH"]),
    ],
)
