"""All modules of a project, and what a dotted name leads to among them."""

from __future__ import annotations

import ast
import tokenize
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from freehold.readiness.project import Project
from freehold.readiness.source.module import Definition, Module, assignments


@dataclass(frozen=True, eq=False)
class Function:
    """A function or method of the project. name: dotted from the root. owner: the class that it is a method of."""

    module: Module
    node: Definition
    name: str
    owner: ClassInfo | None = None

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """Everything inside it, decorators, parameters and nested functions too."""
        return list(ast.walk(self.node))

    @cached_property
    def parameters(self) -> dict[str, ast.arg]:
        """By name, `*args` and `**kwargs` too."""
        taken = self.node.args
        plain = [*taken.posonlyargs, *taken.args, *taken.kwonlyargs]
        return {each.arg: each for each in [*plain, *filter(None, (taken.vararg, taken.kwarg))]}

    @cached_property
    def bindings(self) -> dict[str, list[ast.expr]]:
        """What its local names are set to, by `=` and `with … as`, in the order of the lines."""
        found: dict[str, list[ast.expr]] = defaultdict(list)
        for node in self.nodes:
            for name, value in assignments(node):
                found[name].append(value)
            if isinstance(node, ast.withitem) and isinstance(node.optional_vars, ast.Name):
                found[node.optional_vars.id].append(node.context_expr)
        return found

    @property
    def is_async(self) -> bool:
        return isinstance(self.node, ast.AsyncFunctionDef)

    @property
    def called(self) -> str:
        """Its own name."""
        return self.node.name


@dataclass(frozen=True, eq=False)
class ClassInfo:
    """A class of the project."""

    module: Module
    node: ast.ClassDef
    name: str

    @cached_property
    def fields(self) -> dict[str, ast.AnnAssign | ast.Assign]:
        """The statements of its body that set or annotate a name."""
        found: dict[str, ast.AnnAssign | ast.Assign] = {}
        for node in self.node.body:
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                found[node.target.id] = node
            elif isinstance(node, ast.Assign):
                found |= {target.id: node for target in node.targets if isinstance(target, ast.Name)}
        return found


class SourceIndex:
    """The modules by name, and their functions and classes by dotted name."""

    def __init__(self, modules: Iterable[Module], unreadable: Iterable[tuple[Path, str]] = ()) -> None:
        self.modules = {module.name: module for module in modules}
        self.unreadable = list(unreadable)
        self.functions: dict[str, Function] = {}
        self.classes: dict[str, ClassInfo] = {}
        self._by_suffix: dict[str, list[Module]] = defaultdict(list)
        self._resolved: dict[str, Module | None] = {}
        for module in self.modules.values():
            parts = module.name.split(".")
            for start in range(len(parts)):
                self._by_suffix[".".join(parts[start:])].append(module)
            self._collect(module, module.tree, module.name, None)

    def __iter__(self) -> Iterator[Module]:
        return iter(self.modules.values())

    @cached_property
    def packages(self) -> set[str]:
        """The packages that the project imports."""
        return {name.partition(".")[0] for module in self for name in module.imports.values()}

    @cached_property
    def calls(self) -> list[tuple[Module, ast.Call, str]]:
        """Every call of something that has a name, with the name as `canonical` gives it."""
        found = [(module, node, self.names(node.func, module)) for module in self for node in module.each(ast.Call)]
        return [(module, node, name) for module, node, name in found if name]

    @cached_property
    def depended_on(self) -> dict[str, ast.Call]:
        """What stands inside `Depends(…)`, by canonical name, with one of those calls."""
        calls = [
            (module, call) for module, call, name in self.calls if name.rpartition(".")[2] in {"Depends", "Security"}
        ]
        named = [(self.names(call.args[0], module), call) for module, call in calls if call.args]
        return {name: call for name, call in named if name}

    def at(self, path: str) -> Module | None:
        """The module of a file, also by the name of a link to it."""
        if path not in self._resolved:
            self._resolved[path] = self._by_path.get(str(Path(path).resolve()))
        return self._resolved[path]

    def canonical(self, qualified: str, near: Module, *, depth: int = 6) -> str:
        """Where a dotted name of a module is defined, through the packages of the project that hand it on.

        Names from outside come back as they are.
        """
        parts = qualified.split(".")
        for length in range(len(parts), 0, -1):
            module = self._module(".".join(parts[:length]), near)
            if module is None:
                continue
            rest = parts[length:]
            if rest and rest[0] not in module.defined and rest[0] in module.imports and depth:
                return self.canonical(".".join([module.imports[rest[0]], *rest[1:]]), module, depth=depth - 1)
            return ".".join([module.name, *rest])
        return qualified

    def names(self, node: ast.AST, module: Module) -> str | None:
        """What an expression names, as `canonical` gives it; None for what is no dotted name."""
        qualified = module.qualified(node)
        return self.canonical(qualified, module) if qualified else None

    def value(self, name: str) -> tuple[Module, ast.expr] | None:
        """What the module variable of a canonical name is set to."""
        holder, _, variable = name.rpartition(".")
        module = self.modules.get(holder)
        value = module.assigned.get(variable) if module else None
        return (module, value) if module and value else None

    def _module(self, name: str, near: Module) -> Module | None:
        exact = self.modules.get(name)
        if exact:
            return exact
        found = [module for module in self._by_suffix.get(name, ()) if _is_root_of(module, name, near)]
        return max(found, key=lambda module: _shared(module.name, near.name), default=None)

    def _collect(self, module: Module, node: ast.AST, name: str, owner: ClassInfo | None) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.ClassDef):
                made = ClassInfo(module, child, f"{name}.{child.name}")
                self.classes[made.name] = made
                self._collect(module, child, made.name, made)
            elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                function = Function(module, child, f"{name}.{child.name}", owner)
                self.functions[function.name] = function
                self._collect(module, child, function.name, None)
            elif isinstance(child, ast.If | ast.Try | ast.With):
                self._collect(module, child, name, owner)

    @cached_property
    def _by_path(self) -> dict[str, Module]:
        return {str(module.path): module for module in self}


def read(project: Project) -> SourceIndex:
    """Parse the project's files. What cannot be parsed is listed, not raised."""
    modules, unreadable = [], []
    for path in project.sources:
        try:
            with tokenize.open(path) as file:
                text = file.read()
            tree = ast.parse(text)
        except (SyntaxError, ValueError, OSError, RecursionError) as error:
            unreadable.append((path, str(error)))
            continue
        modules.append(Module(path.resolve(), project.shown(path), _name(project, path), text, tree))
    return SourceIndex(modules, unreadable)


def _name(project: Project, path: Path) -> str:
    relative = path.relative_to(project.root) if path.is_relative_to(project.root) else Path(path.name)
    parts = relative.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


def _is_root_of(module: Module, name: str, near: Module) -> bool:
    """Whether imports may begin so: no package lies above, and a single name is not taken for an installed package."""
    levels = name.count(".") + (2 if module.path.name == "__init__.py" else 1)
    root = module.path.parents[levels - 1]
    if (root / "__init__.py").exists():
        return False
    return "." in name or module.path.name == "__init__.py" or (near.path.parent == root and near is not module)


def _shared(one: str, other: str) -> int:
    return sum(1 for a, b in zip(one.split("."), other.split("."), strict=False) if a == b)
