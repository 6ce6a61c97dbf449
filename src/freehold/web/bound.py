"""A resource at start-up: schemas derived, columns found, fields sorted by who may see and set them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

from pydantic import BaseModel, ValidationError, create_model
from sqlalchemy import BigInteger, Column, Table, inspect
from sqlalchemy.orm import Mapper, undefer

from freehold.errors import ConfigurationError, FieldError, Invalid, NotFound
from freehold.query.fields import FieldSpec, Kind, describe
from freehold.query.values import BadValue, parse_value
from freehold.resource import soft_delete
from freehold.resource.access import Constant, Owner, Rule
from freehold.resource.applications import counting_for
from freehold.resource.declaration import Resource
from freehold.resource.inputs import decimal_places
from freehold.resource.principal import Principal
from freehold.resource.schemas import derive_create, derive_read, derive_update, partial
from freehold.web.faults import faults
from freehold.web.guard import is_closed


class Bound:
    """What the operations of one resource share, worked out once. Raises ConfigurationError for a wrong declaration."""

    def __init__(self, resource: Resource) -> None:
        self.resource = resource
        self.model = resource.model
        self.mapper: Mapper[Any] = inspect(resource.model)
        table = self.mapper.local_table
        assert isinstance(table, Table)
        self.table = table
        if len(self.mapper.primary_key) != 1:
            raise ConfigurationError(f"{resource.name}: a resource has one primary key column; {table.name} has more")
        self.key: Column[Any] = table.c[self.mapper.primary_key[0].name]
        self.key_name = self.mapper.get_property_by_column(self.key).key
        version = self.mapper.version_id_col
        self.version_name = None if version is None else self.mapper.get_property_by_column(version).key
        self._check_fields()
        self.owner = resource.owner or self._find_owner()
        self._derive()

    def _check_fields(self) -> None:
        if self.resource.soft_delete is not None:
            soft_delete.check(self.model, self.resource.soft_delete)
        known = {*self.mapper.column_attrs.keys(), *self.mapper.relationships.keys()}
        for kind, rules in (
            ("read_fields", self.resource.access.read_fields),
            ("write_fields", self.resource.access.write_fields),
            ("untracked", self.resource.untracked),
            ("history", (self.resource.told_by and self.resource.told_by.fields) or ()),
        ):
            for name in rules:
                if name not in known:
                    raise ConfigurationError(
                        f"{self.resource.name}: {kind} names {name!r}, which {self.model.__name__} lacks; "
                        f"it has {', '.join(sorted(known))}"
                    )

    def _find_owner(self) -> str | None:
        access = self.resource.access
        for rule in (access.rule("create"), access.rule("update"), access.rule("delete"), access.read):
            for atom in rule.atoms():
                if isinstance(atom, Owner) and "." not in atom.path and atom.path != self.key_name:
                    return atom.path
        return None

    def _derive(self) -> None:
        access, schemas = self.resource.access, self.resource.schemas
        owned = {name for name in (self.owner, self.resource.soft_delete) if name}
        owned |= {name for name, rule in access.write_fields.items() if is_closed(rule)}
        hidden = frozenset(name for name, rule in access.read_fields.items() if is_closed(rule))
        server_owned = frozenset(owned)
        self.read_schema: type[BaseModel] = schemas.read or derive_read(self.model, hidden=hidden)
        self.create_schema: type[BaseModel] = schemas.create or derive_create(self.model, server_owned=server_owned)
        if schemas.update is not None:
            self.update_schema: type[BaseModel] = schemas.update
        elif schemas.create is not None:
            self.update_schema = partial(schemas.create)
        else:
            self.update_schema = derive_update(self.model, server_owned=server_owned)
        self._check_key()

    def _check_key(self) -> None:
        """A key that the database rounds is not the one that the client is told, and nothing is found under that."""
        field, kept = self.create_schema.model_fields.get(self.key_name), decimal_places(self.key.type)
        if field is None or kept is None:
            return
        taken = [places for each in field.metadata if (places := getattr(each, "decimal_places", None)) is not None]
        if min(taken, default=kept + 1) > kept:
            raise ConfigurationError(
                f"{self.resource.name}: {self.create_schema.__name__}.{self.key_name} takes more decimal places than the key keeps, "
                f"and the database would round it. Say Annotated[Decimal, Field(decimal_places={kept})]"
            )

    def version_of(self, row: Any) -> int:
        """The version of a row, 0 where the model counts none."""
        return 0 if self.version_name is None else int(getattr(row, self.version_name))

    def create_without(self, name: str) -> type[BaseModel]:
        """The create schema less one field, which is set from the path."""
        fields: dict[str, Any] = {
            key: (field.annotation, field) for key, field in self.create_schema.model_fields.items() if key != name
        }
        return create_model(
            f"{self.create_schema.__name__}Nested", __config__=self.create_schema.model_config, **fields
        )

    def with_parent(self, draft: BaseModel, name: str, key: Any) -> BaseModel:
        """A draft of the nested form as one of the whole form."""
        values = {field: getattr(draft, field) for field in draft.model_fields_set}
        try:
            return self.create_schema.model_validate({**values, name: key})
        except ValidationError as error:  # what the whole form says of several fields together
            raise Invalid(errors=faults(error, None)) from None

    @cached_property
    def links(self) -> dict[str, Column[Any]]:
        """Attributes that hold the key of another row -> the column they point to."""
        found = {}
        for attribute in self.mapper.column_attrs:
            for foreign_key in attribute.columns[0].foreign_keys:
                found[attribute.key] = foreign_key.column
        return found

    @cached_property
    def kept_back(self) -> list[Any]:
        """Options that load what the model defers, of which the trail tells what it was."""
        deferred = [
            each for each in self.mapper.column_attrs if each.deferred and "fh_derived" not in each.columns[0].info
        ]
        return [undefer(getattr(self.model, each.key)) for each in deferred]

    def rule(self, verb: str) -> Rule:
        """The declared rule of a verb."""
        return self.resource.access.rule(verb)

    @cached_property
    def _key_field(self) -> FieldSpec | None:
        return describe(self.key_name, self.key)

    def parse_key(self, text: str) -> Any:
        """The key in a path. One that is not of its form names nothing: NotFound (V05)."""
        field = self._key_field
        if field is None:
            return text
        try:
            value = parse_value(field, text)
        except BadValue:
            raise NotFound from None
        if field.kind is Kind.INTEGER and not -(2**31) <= value < 2**31 and not isinstance(self.key.type, BigInteger):
            raise NotFound
        return value

    def hidden(self, principal: Principal) -> frozenset[str]:
        """Fields that no row could show to this caller."""
        rules = _left_of(self.resource.access.read_fields, principal)
        return frozenset(name for name, rule in rules.items() if is_closed(rule))

    def conditional(self, principal: Principal) -> dict[str, Rule]:
        """Fields that some rows show to this caller, with what is left of their rules."""
        rules = _left_of(self.resource.access.read_fields, principal)
        return {name: rule for name, rule in rules.items() if not isinstance(rule, Constant)}

    def refuse_fields(self, sent: Iterable[str], principal: Principal) -> None:
        """Raise Invalid when a field was sent that this caller may set on no row (Z04)."""
        if not self.resource.access.write_fields:
            return
        rules = _left_of(self.resource.access.write_fields, principal)
        refused = [name for name in sent if name in rules and is_closed(rules[name])]
        if refused:
            raise Invalid(errors=[forbidden_field(name) for name in refused])

    def row_rules_for(self, sent: Iterable[str], principal: Principal) -> dict[str, Rule]:
        """Rules about the row that the fields sent bring with them."""
        if not self.resource.access.write_fields:
            return {}
        rules = _left_of(self.resource.access.write_fields, principal)
        return {name: rules[name] for name in sent if name in rules and not isinstance(rules[name], Constant)}


def _left_of(rules: Mapping[str, Rule], principal: Principal) -> dict[str, Rule]:
    """What rules of fields leave to ask of a row, as they count for this caller."""
    return {name: counting_for(rule, principal).simplify(principal) for name, rule in rules.items()}


def forbidden_field(name: str) -> FieldError:
    """The fault of a field that the caller may not set."""
    return FieldError("forbidden_field", "You may not set this field", pointer=f"/{name}")
