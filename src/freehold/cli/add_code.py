"""What a field is in code: its column, its input, what lists may ask of it, and values for its tests."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from freehold.cli.add_fields import Field

LINE = 120  # of the projects that `freehold new` makes
LENGTH = "200"  # of a str without one
_ORDERED = frozenset({"str", "text", "int", "float", "decimal", "date", "datetime", "uuid"})
_RANGED = _ORDERED - {"str", "text", "uuid"}


@dataclass(frozen=True, slots=True)
class Target:
    """What a reference points to. model: its class, where it is a resource. owner: its column that says whose it is."""

    table: str
    key: str = "id"
    model: str = ""
    module: str = ""
    owner: str = ""
    is_account: bool = False


@dataclass(slots=True)
class Code:
    """Lines for the templates, and the imports that they need as (module, name)."""

    columns: list[str] = field(default_factory=list)
    relations: list[str] = field(default_factory=list)
    choices: list[str] = field(default_factory=list)
    inputs: list[str] = field(default_factory=list)
    filters: list[str] = field(default_factory=list)
    sorts: list[str] = field(default_factory=list)
    model_imports: set[tuple[str, str]] = field(default_factory=set)
    schema_imports: set[tuple[str, str]] = field(default_factory=set)


def code_of(fields: Sequence[Field], model: str, targets: dict[str, Target]) -> Code:
    """The code of all fields. targets: by field name, for references."""
    code = Code(sorts=["-created_at"])
    for each in fields:
        _column(code, each, model, targets)
        _input(code, each, model)
        _queries(code, each)
    return code


def _column(code: Code, each: Field, model: str, targets: dict[str, Target]) -> None:
    python, module = _PYTHON.get(each.kind, ("str", ""))
    arguments = _sql_type(code, each, model)
    if each.kind == "enum":
        python = alias(each, model)
        code.model_imports |= {("typing", "Literal"), ("typing", "TypeAlias"), ("typing", "get_args")}
        code.choices.append(_wrapped(f"{python}: TypeAlias = Literal[", [f'"{one}"' for one in each.arguments], "]"))
    if each.kind == "json":
        code.model_imports.add(("typing", "Any"))
    if module:
        code.model_imports.add((module, python))
    if each.kind == "ref":
        target = targets[each.name]
        arguments.append(f'ForeignKey("{target.table}.{target.key}")')
        code.model_imports.add(("sqlalchemy", "ForeignKey"))
        if target.model:
            twins = [one for one in targets.values() if one.table == target.table]
            which = f"foreign_keys=[{each.attribute}], " if len(twins) > 1 else ""
            code.relations.append(f'{each.name}: Mapped[Any] = relationship("{target.model}", {which}lazy="raise")')
            code.model_imports |= {("typing", "Any"), ("sqlalchemy.orm", "relationship")}
    arguments += _options(each)
    kind = f"{python} | None" if each.nullable else python
    code.columns.append(_column_line(f"{each.attribute}: Mapped[{kind}]", ", ".join(arguments)))
    if arguments:
        code.model_imports.add(("sqlalchemy.orm", "mapped_column"))
    if each.indexed and each.kind in ("str", "text"):
        code.columns.append(f'{each.name}_key: Mapped[{kind}] = folded("{each.name}", index=True)')
        code.model_imports.add(("freehold.fields", "folded"))


def _column_line(start: str, arguments: str) -> str:
    """Indented by four in its class, and wrapped as ruff wraps."""
    one = f"{start} = mapped_column({arguments})" if arguments else start
    return one if len(one) <= LINE - 4 else f"{start} = mapped_column(\n        {arguments}\n    )"


def _sql_type(code: Code, each: Field, model: str) -> list[str]:
    name, written = {
        "str": ("String", f"String({(each.arguments or (LENGTH,))[0]})"),
        "text": ("Text", "Text"),
        "decimal": ("Numeric", f"Numeric({', '.join(each.arguments)})"),
        "json": ("JSON", "JSON(none_as_null=True)" if each.nullable else "JSON"),
        "enum": ("Enum", f"Enum(*get_args({alias(each, model)}), native_enum=False, length={_width(each)})"),
    }.get(each.kind, ("", ""))
    if name:
        code.model_imports.add(("sqlalchemy", name))
    return [written] if written else []


def _width(each: Field) -> int:
    """Wide enough that a further choice needs no other column."""
    return max(20, *(len(one) for one in each.arguments)) if each.arguments else 20


def _options(each: Field) -> Iterable[str]:
    if each.kind == "bool" and not each.nullable:
        yield "default=False"
    if each.kind == "enum" and not each.nullable:
        yield f'default="{each.arguments[0]}"'
    if each.unique:
        yield "unique=True"
    elif each.kind == "ref" or (each.indexed and each.kind not in ("str", "text")):
        yield "index=True"


def _input(code: Code, each: Field, model: str) -> None:
    kind, imports = _schema_type(each, model)
    code.schema_imports |= imports
    default = ""
    if each.nullable:
        kind, default = f"{kind} | None", " = None"
    elif each.kind == "bool":
        default = " = False"
    elif each.kind == "enum":
        default = f' = "{each.arguments[0]}"'
    code.inputs.append(f"{each.attribute}: {kind}{default}")


def _schema_type(each: Field, model: str) -> tuple[str, set[tuple[str, str]]]:
    if each.kind == "enum":
        return alias(each, model), {(".models", alias(each, model))}
    pattern, imported = _SCHEMAS.get(each.kind, (each.kind, set()))
    arguments = each.arguments or (LENGTH,)
    least = "" if each.nullable else "min_length=1, "
    return pattern.format(*arguments, least=least), imported


def _queries(code: Code, each: Field) -> None:
    if each.kind in ("bool", "enum", "ref") or (each.unique and each.kind != "text") or each.indexed:
        code.filters.append(each.attribute)
    if each.indexed and each.kind in ("str", "text"):
        code.filters.append(f"{each.name}__contains")
    if (each.indexed or each.unique) and each.kind in _RANGED:
        code.filters += [f"{each.name}__gte", f"{each.name}__lte"]
    if each.indexed and each.kind in _ORDERED:
        code.sorts.append(each.attribute)


def alias(each: Field, model: str) -> str:
    """The name of an enumeration's type: `ReviewStatus`."""
    return model + "".join(word.capitalize() for word in each.name.split("_"))


def imports(found: Iterable[tuple[str, str]]) -> list[str]:
    """`from … import …` for each module, in the order that ruff wants, sections apart."""
    modules: dict[str, set[str]] = {}
    for module, name in found:
        modules.setdefault(module, set()).add(name)
    sections: list[list[str]] = [[], [], []]
    for module in sorted(modules, key=lambda each: (each.startswith("."), each)):
        section = 2 if module.startswith(".") else 0 if module in _STANDARD else 1
        sections[section].append(_wrapped(f"from {module} import ", sorted(modules[module], key=_import_order), ""))
    lines: list[str] = []
    for section_lines in filter(None, sections):
        lines += [*([""] if lines else []), *section_lines]
    return lines


def _import_order(name: str) -> tuple[int, str]:
    """Constants, classes, the rest: as ruff sorts members."""
    return (0 if name.isupper() and len(name) > 1 else 1 if name[0].isupper() else 2), name


def _wrapped(start: str, items: list[str], end: str) -> str:
    """One line, or one for each item where it would be too long."""
    one = f"{start}{', '.join(items)}{end}"
    if len(one) <= LINE:
        return one
    opening, closing = ("(", ")") if not end else ("", end)
    return "\n".join([start + opening, *(f"    {item}," for item in items), closing])


_ANNOTATED = {("typing", "Annotated"), ("pydantic", "Field")}
_SCHEMAS: dict[str, tuple[str, set[tuple[str, str]]]] = {
    "str": ("Annotated[Line, Field({least}max_length={0})]", {*_ANNOTATED, ("freehold.fields", "Line")}),
    "text": ("Annotated[Prose, Field({least}max_length=10_000)]", {*_ANNOTATED, ("freehold.fields", "Prose")}),
    "int": ("Annotated[int, Field(ge=-(2**31), lt=2**31)]", _ANNOTATED),
    "float": ("Annotated[float, Field(allow_inf_nan=False)]", _ANNOTATED),
    "decimal": (
        "Annotated[Decimal, Field(max_digits={0}, decimal_places={1})]",
        {*_ANNOTATED, ("decimal", "Decimal")},
    ),
    "date": ("Day", {("freehold.fields", "Day")}),
    "datetime": ("Instant", {("freehold.fields", "Instant")}),
    "uuid": ("UUID", {("uuid", "UUID")}),
    "ref": ("UUID", {("uuid", "UUID")}),
    "json": ("dict[str, JsonValue]", {("pydantic", "JsonValue")}),
}
_STANDARD = frozenset({"collections.abc", "datetime", "decimal", "typing", "uuid"})
_PYTHON = {
    "int": ("int", ""),
    "float": ("float", ""),
    "bool": ("bool", ""),
    "decimal": ("Decimal", "decimal"),
    "date": ("date", "datetime"),
    "datetime": ("datetime", "datetime"),
    "uuid": ("UUID", "uuid"),
    "ref": ("UUID", "uuid"),
    "json": ("dict[str, Any]", ""),
}
