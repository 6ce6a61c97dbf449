"""What clients must not reach: SQL, the shell, the file system, the interpreter, other sites."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from freehold.readiness.evidence import Evidence
from freehold.readiness.rule import Hit, Severity, rule
from freehold.readiness.source.index import Function
from freehold.readiness.source.reading import argument, built_from, called, is_false, is_true, keyword, names_in, text

_SQL = re.compile(r"\b(?:select|insert|update|delete|from|where|order by|set)\b", re.IGNORECASE)
_RUNS_SQL = {
    "execute",
    "exec",
    "text",
    "exec_driver_sql",
    "executemany",
    "fetch",
    "fetchrow",
    "fetchval",
    "literal_column",
}
_LOADS = {
    "pickle.loads",
    "pickle.load",
    "marshal.loads",
    "marshal.load",
    "dill.loads",
    "shelve.open",
    "jsonpickle.decode",
}
_CLIENTS = {"requests", "httpx", "httpx2", "aiohttp", "urllib3"}
_OPENS = {"open", "FileResponse", "Path", "join", "joinpath", "unlink", "remove"}
_CLEANS = re.compile(
    r"secure_filename|basename|is_relative_to|resolve|uuid|token_|sanitize|\.suffix|\.stem|splitext", re.IGNORECASE
)


@rule(
    "sql-from-string",
    "SQL is put together from text",
    severity=Severity.ERROR,
    why="Whoever chooses the text chooses the statement: all rows read, changed or dropped.",
    remedy="Bind values: text('… WHERE id = :id') with {'id': id}; choose columns from a fixed list.",
)
def sql_from_string(evidence: Evidence) -> Iterator[Hit]:
    """An f-string, `%`, `+` or format of SQL with a parameter of the function in it, given to the database."""
    for function in evidence.source.functions.values():
        for node in function.nodes:
            if isinstance(node, ast.Call) and called(node) in _RUNS_SQL and node.args:
                for value in _values(node.args[0], function):
                    if _from_parameters(built_from(value), function) and _SQL.search(ast.unparse(value)):
                        yield function.module.hit(node, "a value is written into the text of a statement")


@rule(
    "unsafe-load",
    "Data is loaded by running it",
    severity=Severity.ERROR,
    why="pickle, eval and YAML's full loader run what the data says; whoever writes the data owns the server.",
    remedy="Use JSON, yaml.safe_load or ast.literal_eval.",
)
def unsafe_load(evidence: Evidence) -> Iterator[Hit]:
    """Pickle and its kin, yaml.load without a safe loader, eval and exec of anything but a literal."""
    for module, call, name in evidence.source.calls:
        first = call.args[0] if call.args else None
        loader = argument(call, "Loader", 1)
        if name in _LOADS:
            yield module.hit(call, f"{name} runs what it reads")
        elif name in {"yaml.load", "yaml.load_all"} and "Safe" not in (ast.unparse(loader) if loader else ""):
            yield module.hit(call, "yaml.load builds any object that the text names")
        elif name in {"eval", "exec"} and first is not None and text(first) is None:
            yield module.hit(call, f"{name} runs text")


@rule(
    "shell-from-string",
    "A shell command is put together from text",
    severity=Severity.ERROR,
    why="A `;` in the text is another command.",
    remedy="Give a list of arguments and no shell: subprocess.run(['convert', name]).",
)
def shell_from_string(evidence: Evidence) -> Iterator[Hit]:
    """os.system, or subprocess with shell=True, of anything but a literal."""
    for module, call, name in evidence.source.calls:
        shell = name in {"os.system", "os.popen"} or (
            name.startswith("subprocess.") and is_true(keyword(call, "shell"))
        )
        if shell and call.args and text(call.args[0]) is None:
            yield module.hit(call, f"{name} runs a text in the shell")


@rule(
    "tls-verify-off",
    "Certificates are not verified",
    severity=Severity.ERROR,
    why="Anybody on the way reads and changes what is sent, credentials too.",
    remedy="Leave verification on; trust a private authority by its file: verify='/path/ca.pem'.",
)
def tls_verify_off(evidence: Evidence) -> Iterator[Hit]:
    """verify=False, ssl=False, or an unverified context."""
    for module, call, name in evidence.source.calls:
        client = name.partition(".")[0] in _CLIENTS
        if name == "ssl._create_unverified_context" or (client and is_false(keyword(call, "verify"))):
            yield module.hit(call, "the other side's certificate is not verified")


@rule(
    "path-from-client",
    "A file name comes from the client",
    severity=Severity.ERROR,
    needs_app=True,
    why="`../../etc/passwd` is a name too: files outside the folder are read or overwritten.",
    remedy="Choose names yourself (uuid4), or resolve the path and check that it is_relative_to the folder.",
)
def path_from_client(evidence: Evidence) -> Iterator[Hit]:
    """A string parameter of a handler, or the name of an upload, in open(), Path or FileResponse, taken as it is."""
    for operation in evidence.operations:
        function = operation.function
        if _CLEANS.search(ast.unparse(function.node)):
            continue
        strings = {
            name
            for name, node in function.parameters.items()
            if node.annotation and ast.unparse(node.annotation) == "str"
        }
        for node in function.nodes:
            if isinstance(node, ast.Call) and called(node) in _OPENS and _is_path(node):
                values = [
                    part for each in [*node.args, *(pair.value for pair in node.keywords)] for part in ast.walk(each)
                ]
                named = any(isinstance(part, ast.Name) and part.id in strings for part in values)
                if named or any(isinstance(part, ast.Attribute) and part.attr == "filename" for part in values):
                    yield function.module.hit(node, f"{operation.title} opens a path that the client names")


@rule(
    "redirect-from-client",
    "A redirect goes wherever the client says",
    severity=Severity.WARNING,
    needs_app=True,
    why="A link to your site leads to another that looks like it and asks for the password.",
    remedy="Allow paths on this site only, or addresses from a list.",
)
def redirect_from_client(evidence: Evidence) -> Iterator[Hit]:
    """RedirectResponse to a query parameter as it was given."""
    for operation in evidence.operations:
        query = {field.name for field in operation.query}
        for node in operation.function.nodes:
            if isinstance(node, ast.Call) and called(node) == "RedirectResponse":
                target = argument(node, "url", 0)
                checked = any(
                    isinstance(each, ast.If) and names_in(each.test) & query for each in operation.function.nodes
                )
                if isinstance(target, ast.Name) and target.id in query and not checked:
                    yield operation.function.module.hit(node, f"{operation.title} redirects to `{target.id}`")


def _values(node: ast.expr, function: Function) -> list[ast.expr]:
    """The expression, what its name was set to, and what is inside text(…)."""
    if isinstance(node, ast.Name):
        return function.bindings.get(node.id, [])
    return [node]


def _from_parameters(parts: list[ast.expr], function: Function) -> bool:
    given = set(function.parameters) - {"self", "cls"}
    return any(names_in(part) & given for part in parts)


def _is_path(node: ast.Call) -> bool:
    """`join` is a path's only on os.path, `remove` only on os."""
    written = ast.unparse(node.func)
    return called(node) not in {"join", "remove", "unlink"} or written.startswith(("os.", "path."))
