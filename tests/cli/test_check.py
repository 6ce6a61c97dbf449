"""`freehold check`: what it prints, what it ends with, and that nothing of an application is called."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

Run = Callable[..., Any]
SHOP = """
from fastapi import FastAPI

print("loading")
app = FastAPI(debug=True)


@app.get("/checkout")
def checkout() -> int:
    raise RuntimeError("nobody may call me")
"""
SCHEMA = json.loads((Path(__file__).parent / "sarif-subset.schema.json").read_text())


@pytest.fixture
def shop(project: Path) -> Path:
    (project / "shop.py").write_text(SHOP)
    return project


def test_findings_end_with_1_and_are_told_by_file(run: Run, shop: Path) -> None:
    done = run("check", "shop:app")
    assert done.status == 1
    assert "shop.py:5  error  debug=True  [debug-on]" in done.out
    assert "shop.py:9  warning  GET /checkout is named after an action" in done.out
    assert "2 found" in done.out
    assert "importing the application" in done.err


def test_nothing_ends_with_0(run: Run, project: Path) -> None:
    (project / "shop.py").write_text("from fastapi import FastAPI\napp = FastAPI()\n")
    done = run("check", "shop:app")
    assert (done.status, "nothing found" in done.out) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere:app"], "no module nowhere"),
        (["shop:wrong"], "holds no wrong"),
        ([], "No app is named"),
        (["shop:app", "elsewhere"], "There is no elsewhere"),
        (["shop:app", "--select", "nonsense"], "no rule or family nonsense"),
        (["shop:app", "--baseline", "none.json"], "There is no none.json"),
    ],
)
def test_what_could_not_be_looked_at_ends_with_2(run: Run, shop: Path, arguments: list[str], said: str) -> None:
    done = run("check", *arguments)
    assert (done.status, said in done.err) == (2, True), done.err


def test_an_application_that_ends_the_process_is_not_taken_for_a_clean_one(run: Run, project: Path) -> None:
    (project / "shop.py").write_text("import sys\nsys.exit(0)\n")
    done = run("check", "shop:app")
    assert (done.status, "ended the process" in done.err) == (2, True)


def test_without_an_import_nothing_is_imported(run: Run, shop: Path) -> None:
    done = run("check", "--no-import")
    assert done.status == 1
    assert "loading" not in done.out + done.err
    assert "debug-on" in done.out
    assert "rules need the application" in done.out


def test_paths_name_what_is_read(run: Run, shop: Path) -> None:
    (shop / "other.py").write_text("import yaml\nyaml.load(open('x'))\n")
    assert "unsafe-load" in run("check", "shop:app").out
    assert "unsafe-load" not in run("check", "shop:app", "shop.py").out


def test_select_ignore_and_severity(run: Run, shop: Path) -> None:
    assert "debug-on" not in run("check", "shop:app", "--select", "http").out
    assert "debug-on" not in run("check", "shop:app", "--ignore", "deployment").out
    assert "action-by-get" not in run("check", "shop:app", "--severity", "error").out
    assert run("check", "shop:app", "--ignore", "debug-on,action-by-get").status == 0


def test_a_baseline_lets_only_new_findings_fail(run: Run, shop: Path) -> None:
    assert run("check", "shop:app", "--write-baseline", "known.json").status == 0
    known = run("check", "shop:app", "--baseline", "known.json")
    assert (known.status, "2 in the baseline" in known.out) == (0, True)
    (shop / "other.py").write_text("import yaml\nyaml.load(open('x'))\n")
    fresh = run("check", "shop:app", "--baseline", "known.json")
    assert (fresh.status, "unsafe-load" in fresh.out, "debug-on" in fresh.out) == (1, True, False)


def test_json_is_json_whatever_the_application_prints(run: Run, shop: Path) -> None:
    done = run("check", "shop:app", "--json")
    report = json.loads(done.out)
    assert done.status == 1
    assert [(each["rule"], each["path"], each["line"]) for each in report["findings"]] == [
        ("debug-on", "shop.py", 5),
        ("action-by-get", "shop.py", 9),
    ]


def test_sarif_is_valid_and_names_the_place(run: Run, shop: Path) -> None:
    (shop / "other.py").write_text("import yaml\nyaml.load(open('x'))  # freehold: ignore[unsafe-load] our own file\n")
    document = json.loads(run("check", "shop:app", "--sarif").out)
    jsonschema.validate(document, SCHEMA)
    (told,) = document["runs"]
    rules = told["tool"]["driver"]["rules"]
    for result in told["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
    places = [each["locations"][0]["physicalLocation"] for each in told["results"]]
    assert (places[0]["artifactLocation"]["uri"], places[0]["region"]["startLine"]) == ("shop.py", 5)
    assert [each["ruleId"] for each in told["results"] if "suppressions" in each] == ["unsafe-load"]


def test_the_rules_are_listed(run: Run, project: Path) -> None:
    rows = json.loads(run("check", "--rules", "--json").out)
    assert len(rows) >= 40
    assert set(rows[0]) == {"rule", "family", "severity", "title", "why"}
