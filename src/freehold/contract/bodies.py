"""What an operation reads and answers: bodies, statuses, media types, header fields."""

from __future__ import annotations

from collections.abc import Iterator

from freehold.contract.findings import Change
from freehold.contract.places import Place
from freehold.contract.schemas import Comparison, Direction


def compare_request_bodies(old: Place, new: Place) -> Iterator[Change]:
    """The bodies of two operations."""
    before, after = old.at("requestBody"), new.at("requestBody")
    was, is_now = bool(before.value and before.value["required"]), bool(after.value and after.value["required"])
    if before.value is None and after.value is not None:
        yield Change("body.added_required" if is_now else "body.added", old.pointer, "it reads a body")
    elif after.value is None and before.value is not None:
        yield Change("body.removed", before.pointer, "it reads no body any longer")
    elif before.value is not None:
        if is_now and not was:
            yield Change("body.required", before.pointer, "the body is required")
        if was and not is_now:
            yield Change("body.optional", before.pointer, "the body is optional")
        yield from _contents(before, after, "request", "body")


def compare_answers(old: Place, new: Place) -> Iterator[Change]:
    """The answers of two operations."""
    before = {status: each.followed() for status, each in old.at("responses").children()}
    after = {status: each.followed() for status, each in new.at("responses").children()}
    comparison = Comparison("answer")
    for status, place in before.items():
        if status in after:
            yield from _answer(status, place, after[status], comparison)
        elif _is_success(status):
            instead = ", ".join(each for each in after if _is_success(each) and each not in before)
            said = f"; it answers {instead} instead" if instead else ""
            pointer = old.at("responses", status).pointer
            yield Change("answer.status_removed", pointer, f"it never answers {status} any longer{said}")
        else:
            yield Change("answer.error_removed", old.at("responses", status).pointer, f"it never answers {status}")
    for status in after.keys() - before.keys():
        code = "answer.status_added" if _is_success(status) else "answer.error_added"
        yield Change(code, old.at("responses").pointer, f"it may answer {status}")


def _is_success(status: str) -> bool:
    return status[:1] in ("1", "2", "3", "d")  # "default" may be one


def _answer(status: str, old: Place, new: Place, comparison: Comparison) -> Iterator[Change]:
    if new.at("content").value and not old.at("content").value:
        yield Change("answer.body_added", old.pointer, f"{status} has a body")
    else:
        yield from _contents(old, new, "answer", f"{status}", comparison)
    before = {name.lower(): (name, header) for name, header in old.at("headers").children()}
    after = {name.lower(): header for name, header in new.at("headers").children()}
    for key, (name, header) in before.items():
        if key not in after:
            yield Change("answer.header_removed", header.pointer, f"{status} has no header {name} any longer")
        else:
            yield from comparison.of(header.at("schema"), after[key].at("schema"), f"{status} header {name}")
    for key in after.keys() - before.keys():
        yield Change("answer.header_added", old.pointer, f"{status} has a header {key}")


def _contents(
    old: Place, new: Place, direction: Direction, name: str, comparison: Comparison | None = None
) -> Iterator[Change]:
    comparison = comparison or Comparison(direction)
    part = "body" if direction == "request" else "answer"
    before, after = dict(old.at("content").children()), dict(new.at("content").children())
    for kind, media in before.items():
        if kind not in after:
            yield Change(f"{part}.media_type_removed", media.pointer, f"{name}: no {kind} any longer")
        elif media.at("schema").value is not None and after[kind].at("schema").value is not None:
            yield from comparison.of(media.at("schema"), after[kind].at("schema"), name)
    for kind in after.keys() - before.keys():
        yield Change(f"{part}.media_type_added", old.pointer, f"{name}: {kind} is new")
