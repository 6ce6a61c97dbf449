"""Pydantic schemas derived from a model: what a client may send, and what it is shown.

A column says more about itself in three ways, the last one winning::

    year: Mapped[Year]                      # Year = Annotated[int, Field(ge=1450, description="Of this edition")]
    isbn: Mapped[str] = mapped_column(String(13), doc="Without hyphens")
    email: Mapped[str] = mapped_column(info={"schema": EmailStr})

Inputs refuse unknown fields. A column with a constant default is optional and shows it; one with another default,
or that the database fills, is optional and left out when absent (`MISSING`); a nullable one is optional and None.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from inspect import get_annotations
from typing import Annotated, Any, get_args, get_origin

from pydantic import MISSING, BaseModel, ConfigDict, Field, create_model, model_validator
from pydantic.fields import FieldInfo
from sqlalchemy import Column, inspect
from sqlalchemy.orm import DeclarativeBase, Mapped, Mapper
from sqlalchemy.sql.schema import ScalarElementColumnDefault

from freehold.resource.examples import examples, fits
from freehold.resource.inputs import input_type, output_type

SERVER_OWNED = frozenset({"id", "created_at", "updated_at", "row_version"})
"""Columns of `Base` that only the server sets."""
_INPUT = ConfigDict(extra="forbid", ser_json_bytes="base64", val_json_bytes="base64")
_OUTPUT = ConfigDict(from_attributes=True, ser_json_bytes="base64")


def derive_create(model: type[DeclarativeBase], *, server_owned: frozenset[str] = frozenset()) -> type[BaseModel]:
    """What a client may send to create a row.

    server_owned: attributes that the server sets (the owner column, a parent taken from the path), besides those
    of `Base`, computed and derived columns and generated keys. Raises ConfigurationError for a column of a type
    that is not known.
    """
    fields: dict[str, Any] = {}
    for name, column in _writable(model, server_owned):
        if not _generated_key(column):
            annotation = _annotated(model, name, column)
            default = _default(column, annotation)
            fields[name] = (annotation | MISSING if default.default is MISSING else annotation, default)
    return _build(f"{model.__name__}Create", model, fields, _INPUT)


def derive_update(model: type[DeclarativeBase], *, server_owned: frozenset[str] = frozenset()) -> type[BaseModel]:
    """What a client may send to change a row: as for `derive_create` without keys, each field optional.

    An absent field is `MISSING` and not in `model_fields_set`; null is refused where the column has no NULL.
    """
    keys = frozenset(name for name, column in _columns(model) if column.primary_key)
    return partial(derive_create(model, server_owned=server_owned | keys), name=f"{model.__name__}Update")


def derive_read(model: type[DeclarativeBase], *, hidden: frozenset[str] = frozenset()) -> type[BaseModel]:
    """What is shown of a row, in column order: all but `hidden`, derived columns and the row version."""
    version = inspect(model).version_id_col
    fields: dict[str, Any] = {}
    for name, column in _columns(model):
        if name in hidden or column is version or name == "row_version" or column.info.get("fh_derived"):
            continue
        annotation = output_type(column.type)
        fields[name] = (annotation | None if column.nullable else annotation, _described(column, annotation))
    return _build(f"{model.__name__}Read", model, fields, _OUTPUT)


def partial(schema: type[BaseModel], *, name: str = "") -> type[BaseModel]:
    """The update schema of a create schema: the same constraints and field validators, every field optional.

    A model validator of mode "after" does not run on a part of the whole: `merge.recheck` runs it on the merged row.
    """
    name = name or f"{schema.__name__.removesuffix('Create').removesuffix('Draft')}Update"
    fields: dict[str, Any] = {key: _optional(field) for key, field in schema.model_fields.items()}
    shown = {key: field.examples[0] for key, field in schema.model_fields.items() if field.examples}
    return create_model(
        name,
        __base__=schema,
        __module__=schema.__module__,
        __doc__=f"Changes to what {schema.__name__} describes; what is absent stays as it is.",
        __validators__=_without_wholes(schema),
        __cls_kwargs__={"title": name, "json_schema_extra": {"examples": [shown]} if shown else None},
        **fields,
    )


def _optional(field: FieldInfo) -> tuple[Any, Any]:
    inner: Any = field.annotation
    if field.metadata or field.discriminator is not None:
        extra = [Field(discriminator=field.discriminator)] if field.discriminator is not None else []
        inner = Annotated[(inner, *field.metadata, *extra)]
    shown = {
        key: value
        for key in (
            "alias",
            "validation_alias",
            "serialization_alias",
            "title",
            "description",
            "examples",
            "deprecated",
        )
        if (value := getattr(field, key)) is not None
    }
    return inner | MISSING, Field(default=MISSING, json_schema_extra=field.json_schema_extra, **shown)


def _without_wholes(schema: type[BaseModel]) -> dict[str, Any]:
    def skip(self: BaseModel) -> BaseModel:
        return self

    found = schema.__pydantic_decorators__.model_validators
    return {name: model_validator(mode="after")(skip) for name, each in found.items() if each.info.mode == "after"}


def _build(name: str, model: type[DeclarativeBase], fields: Mapping[str, Any], config: ConfigDict) -> type[BaseModel]:
    shown = {key: info.examples[0] for key, (_, info) in fields.items() if info.examples}
    whole = all(info.examples or not info.is_required() for _, info in fields.values())
    settings = ConfigDict(**config, title=name, json_schema_extra={"examples": [shown]} if whole else None)
    doc = f"{model.__name__}, derived from its columns."
    return create_model(name, __config__=settings, __module__=model.__module__, __doc__=doc, **fields)


def _columns(model: type[DeclarativeBase]) -> Iterator[tuple[str, Column[Any]]]:
    mapper: Mapper[Any] = inspect(model)
    places = {id(column): place for place, column in enumerate(mapper.local_table.c)}
    found = [(each.key, each.columns[0]) for each in mapper.column_attrs]
    stored = [(name, column) for name, column in found if isinstance(column, Column)]
    yield from sorted(stored, key=lambda pair: places.get(id(pair[1]), -1))


def _writable(model: type[DeclarativeBase], server_owned: frozenset[str]) -> Iterator[tuple[str, Column[Any]]]:
    version = inspect(model).version_id_col
    for name, column in _columns(model):
        generated = column.computed is not None or column.identity is not None or column.info.get("fh_derived")
        if name not in server_owned | SERVER_OWNED and column is not version and not generated:
            yield name, column


def _generated_key(column: Column[Any]) -> bool:
    """Whether the server makes the key; a natural key (a code, a slug) comes from the client."""
    if not column.primary_key or column.foreign_keys:
        return False
    return (
        column.default is not None or column.server_default is not None or column is column.table.autoincrement_column
    )


def _annotated(model: type[DeclarativeBase], name: str, column: Column[Any]) -> Any:
    place = f"{model.__name__}.{name}"
    annotation = column.info["schema"] if "schema" in column.info else input_type(column.type, place)
    said = tuple(each for each in _metadata(model, name) if not isinstance(each, (str, type)))
    if said:
        annotation = Annotated[(annotation, *said)]
    return annotation | None if column.nullable else annotation


def _metadata(model: type[DeclarativeBase], name: str) -> tuple[Any, ...]:
    """The extras of `Mapped[Annotated[...]]` that are for Pydantic."""
    for each in model.__mro__:
        hint = get_annotations(each).get(name)
        if hint is None:
            continue
        if isinstance(hint, str):
            scope = {**vars(sys.modules[each.__module__]), **vars(each)}
            try:
                hint = eval(hint, scope)  # noqa: S307  # the class's own annotation, as typing.get_type_hints does
            except NameError:  # a name for the type checker alone; SQLAlchemy resolved the column without it
                return ()
        inner = get_args(hint)[0] if _is_mapped(hint) else hint
        return _pydantic_parts(inner)
    return ()


def _is_mapped(hint: Any) -> bool:
    origin: Any = get_origin(hint)
    return isinstance(origin, type) and issubclass(origin, Mapped)


def _pydantic_parts(hint: Any) -> tuple[Any, ...]:
    if get_origin(hint) is Annotated:
        return tuple(part for part in hint.__metadata__ if not type(part).__module__.startswith("sqlalchemy"))
    return tuple(part for option in get_args(hint) for part in _pydantic_parts(option))


def _default(column: Column[Any], annotation: Any) -> Any:
    if isinstance(column.default, ScalarElementColumnDefault):
        return _described(column, annotation, default=column.default.arg)
    if column.default is not None or column.server_default is not None:
        return _described(column, annotation, default=MISSING)
    return _described(column, annotation, **({"default": None} if column.nullable else {}))


def _described(column: Column[Any], annotation: Any, **default: Any) -> Any:
    shown = column.info.get("examples") or next(([each] for each in examples(column) if fits(each, annotation)), None)
    return Field(description=column.doc or column.comment, examples=shown, **default)
