"""The files of a new feature, from its names, fields and options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from freehold.cli.add_code import Target, code_of, imports
from freehold.cli.add_fields import Field
from freehold.cli.add_names import Names
from freehold.cli.rendering import render
from freehold.resource.base import plural

_NOWHERE = '"0190b0a0-0000-7000-8000-000000000000"'  # an id that no row has


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """accounts: the table of users, where the owner is one of them. path: of the collection, with its prefix."""

    names: Names
    fields: Sequence[Field]
    targets: Mapping[str, Target]
    accounts: str | None
    has_owner: bool
    public_read: bool
    package: str
    path: str

    def files(self, folder: Path, tests: Path | None) -> dict[Path, str]:
        """What to write: four files and, where the project has scenes, the tests and the part of the proofs."""
        values = self._values()
        here = folder / self.names.collection
        found = {here / f"{name}.py": f"feature/{name}.py" for name in _FOUR}
        if tests is not None:
            found[tests / f"test_{self.names.collection}.py"] = "feature/test.py"
            found[tests / "scenes" / f"{self.names.collection}.py"] = "feature/scene.py"
        return {path: render(template, values) for path, template in found.items()}

    def _values(self) -> dict[str, object]:
        names, code = self.names, code_of(self.fields, self.names.model, dict(self.targets))
        own_model = (f"{self.package}.{names.collection}.models", names.model)
        parents, sent = self._parents(), [f'"{each.attribute}": {self._sent(each)}' for each in self.fields]
        return {
            "name": names.singular,
            "model": names.model,
            "collection": names.collection,
            "table": "" if names.collection == plural(names.singular) else names.collection,
            "word": names.word,
            "words": names.words,
            "an": "An" if names.word[0] in "aeiou" else "A",
            "path": self.path,
            "code": code,
            "owner_column": self._owner_column(),
            "public_read": self.public_read,
            "read_rule": self._read_rule(),
            "front_door": self._front_door(),
            "model_imports": imports({*code.model_imports, *self._owner_imports(), *_MODEL}),
            "schema_imports": imports({*code.schema_imports, ("pydantic", "BaseModel"), ("pydantic", "ConfigDict")}),
            "expand": [each.name for each in self.fields if each.kind == "ref" and self.targets[each.name].model],
            "public_facts": [each.attribute for each in self.fields if each.unique],
            "writer": self._writer,
            "parents": parents,
            "sent": sent,
            "uses_people": any("of.id" in line for line in parents) or any("people." in line for line in sent),
            "values": self._scene_values(),
            "scene_imports": imports({*self._target_imports(), own_model}),
            "decimals": any(each.kind == "decimal" for each in self.fields),
            "test_imports": imports(self._target_imports()),
            "wrong": [f'"{each.attribute}": {_wrong(each)}' for each in self.fields],
            "taken": any(each.unique for each in self.fields),
        }

    @property
    def _writer(self) -> str:
        return "me" if self.has_owner else "admin"

    def _owner_column(self) -> str:
        if not self.has_owner:
            return ""
        key = f'ForeignKey("{self.accounts}.id"), ' if self.accounts else ""
        return f"mapped_column({key}index=True)"

    def _owner_imports(self) -> set[tuple[str, str]]:
        if not self.has_owner:
            return set()
        found = {("uuid", "UUID"), ("sqlalchemy.orm", "mapped_column")}
        return found | {("sqlalchemy", "ForeignKey")} if self.accounts else found

    def _read_rule(self) -> str:
        if self.public_read:
            return "anyone"
        return 'OWNER | role("admin")' if self.has_owner else "signed_in"

    def _front_door(self) -> str:
        names = {"Access", "Queries", "Resource", "Schemas", "role"}
        names |= {"owner", "signed_in"} if self.has_owner else set()
        names |= {"anyone"} if self.public_read else set() if self.has_owner else {"signed_in"}
        return imports({("freehold", name) for name in names})[0]

    def _parents(self) -> list[str]:
        """The rows that a row points to, owned by whoever will point, so that they may."""
        lines = []
        for each in self.fields:
            target = self.targets.get(each.name)
            if target is not None and target.model:
                whose = f", {target.owner}=of.id" if target.owner else ""
                lines.append(f"{each.name} = await stage.make({target.model}{whose})")
        return lines

    def _target_imports(self) -> set[tuple[str, str]]:
        return {(target.module, target.model) for target in self.targets.values() if target.model}

    def _sent(self, each: Field) -> str:
        if each.kind != "ref":
            return _value(each)
        return f"str({f'people.{self._writer}' if self.targets[each.name].is_account else each.name}.id)"

    def _scene_values(self) -> list[str]:
        found = []
        for each in self.fields:
            if each.kind == "ref":
                found.append(f"{each.attribute}={'of.id' if self.targets[each.name].is_account else each.name + '.id'}")
            elif each.kind == "decimal":
                found.append(f'{each.name}=Decimal("{_decimal(each)}")')
        return found


def _value(each: Field) -> str:
    if each.kind == "decimal":
        return f'"{_decimal(each)}"'
    if each.kind == "enum":
        return f'"{each.arguments[-1]}"'
    if each.kind == "str":
        return f'"{"Some text"[: int((each.arguments or ("200",))[0])]}"'
    return _VALUES[each.kind]


def _decimal(each: Field) -> str:
    digits, places = map(int, each.arguments)
    whole = "1" if digits > places else "0"
    return whole if places == 0 else f"{whole}.{'5'.ljust(places, '0')}"


def _wrong(each: Field) -> str:
    return '""' if each.kind in ("str", "text") and not each.nullable else _WRONG[each.kind]


_FOUR = ("__init__", "models", "schemas", "crud", "routes")
_MODEL = {("freehold", "Base"), ("sqlalchemy.orm", "Mapped")}
_VALUES = {
    "text": '"Some text\\nover two lines"',
    "int": "3",
    "float": "1.5",
    "bool": "True",
    "date": '"2026-01-05"',
    "datetime": '"2026-01-05T09:00:00Z"',
    "uuid": _NOWHERE,
    "json": '{"key": "value"}',
}
_WRONG = {
    "str": "1",
    "text": "1",
    "int": '"three"',
    "float": '"much"',
    "decimal": '"much"',
    "bool": '"maybe"',
    "date": '"yesterday"',
    "datetime": '"2026-01-05T09:00:00"',
    "uuid": '"nobody"',
    "json": '"text"',
    "enum": '"none of them"',
    "ref": _NOWHERE,
}
