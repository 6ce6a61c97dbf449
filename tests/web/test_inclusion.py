"""Operations of an included router are analysed once, and are what FastAPI makes of them when it analyses them again."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import httpx2
import pytest
from fastapi import Body, Depends, FastAPI, Header, Response, routing
from fastapi.responses import PlainTextResponse
from fastapi.routing import APIRouter, _EffectiveRouteContext, _IncludedRouter
from pydantic import BaseModel

from freehold import Db, Freehold, Identity, Router, UserMixin, allow, anyone, signed_in
from freehold.settings import Settings
from freehold.web.inclusion import analyse_once
from tests.bases import AccountBase as Base

pytestmark = pytest.mark.anyio


class Includer(UserMixin, Base):
    __tablename__ = "test_includers"


class Word(BaseModel):
    text: str = "none"


async def language(accept_language: Annotated[str, Header()] = "en") -> str:
    return accept_language


def words() -> Router:
    router = Router(prefix="/words", tags=["words"], dependencies=[allow(anyone)], responses={404: {"model": Word}})

    @router.get("/{name}", response_model_exclude_unset=True)
    async def one(name: str, tongue: Annotated[str, Depends(language)], db: Db) -> Word:
        """A word."""
        return Word(text=f"{name} in {tongue}")

    @router.post("", status_code=201, dependencies=[allow(signed_in)], deprecated=True)
    async def add(word: Word, loud: Annotated[bool, Body()]) -> Word:
        return word

    @router.delete("/{name}", response_class=PlainTextResponse, include_in_schema=False)
    async def remove(name: str) -> Response:
        return Response(name)

    return router


def contexts(app: FastAPI) -> list[_EffectiveRouteContext]:
    [included] = [each for each in app.routes if isinstance(each, _IncludedRouter)]
    return [each for each in included.effective_candidates() if isinstance(each, _EffectiveRouteContext)]


def comparable(value: Any) -> Any:
    """A value as it can be compared: an analysis makes objects anew that are the same by what they hold."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return type(value), {each.name: comparable(getattr(value, each.name)) for each in dataclasses.fields(value)}
    if isinstance(value, (list, tuple, set)):
        return [comparable(each) for each in value]
    if isinstance(value, dict):
        return {key: comparable(each) for key, each in value.items()}
    return repr(value) if type(value).__module__.startswith(("fastapi", "pydantic")) else value


HOW: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {}),
    ({}, {"prefix": "/v2"}),
    ({}, {"tags": ["more"]}),
    ({}, {"dependencies": [Depends(language)]}),
    ({}, {"responses": {418: {"description": "a pot"}}}),
    ({}, {"deprecated": True}),
    ({}, {"include_in_schema": False}),
    ({}, {"default_response_class": PlainTextResponse}),
    ({}, {"generate_unique_id_function": lambda route: f"my_{route.name}"}),
    ({}, {"max_body_size": 9}),
    ({"dependencies": [Depends(language)]}, {}),
    ({"strict_content_type": False}, {}),
    ({"responses": {418: {"description": "a pot"}}}, {}),
]


@pytest.mark.parametrize(("of_app", "how"), HOW)
def test_they_are_what_they_would_be(of_app: dict[str, Any], how: dict[str, Any]) -> None:
    once, twice = (FastAPI(**of_app) for _ in range(2))
    router = words()
    for app in (once, twice):
        app.include_router(router, **how)
    analyse_once(once.router)
    for one, two in zip(contexts(once), contexts(twice), strict=True):
        assert one.dependency_overrides_provider is once
        for each in dataclasses.fields(one):
            if each.name not in {"app", "dependency_overrides_provider"}:
                found, expected = (comparable(getattr(context, each.name)) for context in (one, two))
                assert (found or None) == (expected or None), each.name
    assert once.openapi() == twice.openapi()


def application(folder: Path, *routers: APIRouter, **more: Any) -> Freehold:
    given = Settings(
        env="test",
        var_dir=folder,
        database_url=f"sqlite+aiosqlite:///{folder}/x.db",
        secret="x" * 40,
        log_level="error",
    )
    return Freehold(routers=routers, settings=given, **more)


@pytest.fixture
def analysed(monkeypatch: pytest.MonkeyPatch) -> Counter[Callable[..., Any]]:
    """How often each endpoint was analysed."""
    found: Counter[Callable[..., Any]] = Counter()
    populate: Any = vars(routing)["_populate_api_route_state"]

    def counting(route: Any, path: str, endpoint: Callable[..., Any], **rest: Any) -> None:
        found[endpoint] += 1
        populate(route, path, endpoint, **rest)

    monkeypatch.setattr(routing, "_populate_api_route_state", counting)
    return found


def test_it_happens_once(tmp_path: Path, analysed: Counter[Callable[..., Any]]) -> None:
    app = application(tmp_path, words(), identity=Identity(user=Includer))
    app.openapi()
    assert len(analysed) > 20
    assert set(analysed.values()) == {1}


async def test_dependencies_are_overridden_and_a_later_operation_is_found(tmp_path: Path) -> None:
    router = words()
    app = application(tmp_path, router)
    app.dependency_overrides[language] = lambda: "de"
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://localhost") as client,
    ):
        assert (await client.get("/words/wort")).json() == {"text": "wort in de"}

        @router.get("/all/of/them")
        async def later() -> Word:
            return Word()

        assert (await client.get("/words/all/of/them")).status_code == 200
