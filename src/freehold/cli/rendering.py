"""Files from `freehold.templates`: rendered, written all or none, and taken back when a later step fails."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath

from jinja2 import Environment, StrictUndefined

SUFFIX = ".tmpl"  # the templates are no Python: linters and type checkers shall not read them as such
# Not Jinja's own delimiters: `{{ }}` stands in workflows, `{% %}` would end up in format strings.
_JINJA = Environment(
    autoescape=False,  # noqa: S701  # what is made is Python and TOML, and what goes in has been checked
    undefined=StrictUndefined,
    keep_trailing_newline=True,
    trim_blocks=True,
    lstrip_blocks=True,
    variable_start_string="<<",
    variable_end_string=">>",
    block_start_string="<%",
    block_end_string="%>",
    comment_start_string="<#",
    comment_end_string="#>",
)


def render(name: str, values: Mapping[str, object]) -> str:
    """One template by its path below `freehold/templates`, without the suffix."""
    source = files("freehold.templates").joinpath(f"{name}{SUFFIX}").read_text(encoding="utf-8")
    return _JINJA.from_string(source).render(values)


def names_below(folder: str) -> list[str]:
    """The templates of a folder, as `render` takes them, in order."""
    return sorted(f"{folder}/{path}" for path in _walk(files("freehold.templates").joinpath(folder), PurePosixPath()))


def _walk(folder: Traversable, at: PurePosixPath) -> Iterator[str]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _walk(entry, at / entry.name)
        elif entry.name.endswith(SUFFIX):
            yield str(at / entry.name.removesuffix(SUFFIX))


def write_all(contents: Mapping[Path, str]) -> None:
    """Write the files, with the folders that they need; the same bytes on every system."""
    for path, content in contents.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8", newline="\n")


@contextmanager
def written(contents: Mapping[Path, str]) -> Iterator[None]:
    """Write the files for the block, which may go on to use them; when it fails, they are as they were."""
    before = {path: path.read_bytes() if path.is_file() else None for path in contents}
    folders = [folder for path in contents for folder in _missing(path.parent)]
    try:
        write_all(contents)
        yield
    except BaseException:
        _take_back(before, folders)
        raise


def _missing(folder: Path) -> Iterator[Path]:
    while not folder.exists():
        yield folder
        folder = folder.parent


def _take_back(before: Mapping[Path, bytes | None], folders: list[Path]) -> None:
    for path, content in before.items():
        if content is None:
            path.unlink(missing_ok=True)
        else:
            path.write_bytes(content)
    for folder in sorted(set(folders), key=lambda each: -len(each.parts)):
        for cache in folder.glob("__pycache__/*"):
            cache.unlink()
        for empty in (folder / "__pycache__", folder):
            if empty.is_dir() and not any(empty.iterdir()):
                empty.rmdir()
