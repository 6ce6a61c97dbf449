"""The engine: suppressions, baselines, forms, what happens to a rule that breaks and a file that cannot be read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from freehold.errors import ConfigurationError
from freehold.readiness import RULES, Hit, Place, Report, Severity, audit, rule
from freehold.readiness.reference import pages
from freehold.readiness.report import baseline
from tests.readiness.looking import imported

CHECKS = Path(__file__).parents[2] / "docs" / "reference" / "checks"
LEAK = "import requests\n\n\ndef fetch():\n    return requests.get('https://example.com', timeout=5, verify=False){comment}\n"


def look_at(folder: Path, text: str) -> Report:
    (folder / "shop.py").write_text(text)
    return audit(folder)


def ids(report: Report) -> list[str]:
    return [each.rule.id for each in report.findings]


class TestSuppression:
    def test_on_the_line_with_a_reason(self, tmp_path: Path) -> None:
        report = look_at(tmp_path, LEAK.format(comment="  # freehold: ignore[tls-verify-off] a lab without names"))
        assert ids(report) == []
        assert [each.rule.id for each in report.suppressed] == ["tls-verify-off"]

    def test_on_the_line_above(self, tmp_path: Path) -> None:
        text = LEAK.format(comment="").replace("    return", "    # freehold: ignore[tls-verify-off] a lab\n    return")
        assert ids(look_at(tmp_path, text)) == []

    def test_without_a_reason_it_counts_for_nothing(self, tmp_path: Path) -> None:
        report = look_at(tmp_path, LEAK.format(comment="  # freehold: ignore[tls-verify-off]"))
        assert ids(report) == ["suppression-idle", "tls-verify-off"]

    def test_for_a_finding_that_is_not_there_it_is_one_itself(self, tmp_path: Path) -> None:
        report = look_at(tmp_path, "x = 1  # freehold: ignore[tls-verify-off] once there was a request here\n")
        assert ids(report) == ["suppression-idle"]

    def test_for_another_rule_it_answers_nothing(self, tmp_path: Path) -> None:
        report = look_at(tmp_path, LEAK.format(comment="  # freehold: ignore[debug-on] wrong"))
        assert ids(report) == ["suppression-idle", "tls-verify-off"]

    def test_in_a_string_it_is_text(self, tmp_path: Path) -> None:
        assert ids(look_at(tmp_path, 'SAYING = "# freehold: ignore[tls-verify-off] no comment"\n')) == []


class TestBaseline:
    def test_known_findings_stay_known_when_lines_move(self, tmp_path: Path) -> None:
        kept = tmp_path / "baseline.json"
        baseline.write(kept, look_at(tmp_path, LEAK.format(comment="")).findings)
        moved = look_at(tmp_path, "# one line more\n" + LEAK.format(comment=""))
        assert baseline.new(moved.findings, baseline.read(kept)) == ([], 0)

    def test_a_second_of_the_same_kind_is_new(self, tmp_path: Path) -> None:
        kept = tmp_path / "baseline.json"
        baseline.write(kept, look_at(tmp_path, LEAK.format(comment="")).findings)
        twice = look_at(tmp_path, LEAK.format(comment="") + LEAK.format(comment="").replace("fetch", "again"))
        fresh, gone = baseline.new(twice.findings, baseline.read(kept))
        assert ([each.rule.id for each in fresh], gone) == (["tls-verify-off"], 0)

    def test_what_was_mended_is_told(self, tmp_path: Path) -> None:
        kept = tmp_path / "baseline.json"
        baseline.write(kept, look_at(tmp_path, LEAK.format(comment="")).findings)
        assert baseline.new(look_at(tmp_path, "").findings, baseline.read(kept)) == ([], 1)

    @pytest.mark.parametrize("content", ["", "[]", '{"version": 1}', '{"version": 9, "findings": []}'])
    def test_what_is_none_is_refused(self, tmp_path: Path, content: str) -> None:
        (tmp_path / "baseline.json").write_text(content)
        with pytest.raises(ConfigurationError, match="baseline"):
            baseline.read(tmp_path / "baseline.json")


class TestRules:
    def test_each_has_an_id_of_its_own_a_reason_and_a_remedy(self) -> None:
        assert len(RULES) >= 40
        assert len({each.id for each in RULES}) == len(RULES)
        for each in RULES:
            assert each.id.replace("-", "").isalnum(), each.id
            assert each.id == each.id.lower()
            assert each.title[-1] != "."
            assert each.why.endswith("."), each.id
            assert each.remedy.endswith("."), each.id
            assert each.look.__doc__, each.id

    def test_the_reference_is_in_step(self) -> None:
        written = {path.name: path.read_text(encoding="utf-8") for path in CHECKS.glob("*.md")}
        assert written == pages(), "python -m freehold.readiness.reference docs/reference/checks"

    def test_one_that_breaks_is_named_and_can_be_left_out(self, tmp_path: Path) -> None:
        @rule("broken", "Breaks", severity=Severity.NOTE, why="It.", remedy="Mend it.")
        def broken(evidence: object) -> list[Hit]:
            raise KeyError("no")

        with pytest.raises(ConfigurationError, match="--ignore broken"):
            audit(tmp_path, rules=[broken])

    def test_one_finding_for_a_rule_and_a_place(self, tmp_path: Path) -> None:
        @rule("twice", "Said twice", severity=Severity.NOTE, why="It.", remedy="Mend it.")
        def twice(evidence: object) -> list[Hit]:
            return [Hit(Place("shop.py", 1), "first"), Hit(Place("shop.py", 1), "second")]

        assert [each.message for each in audit(tmp_path, rules=[twice]).findings] == ["second"]

    def test_those_that_need_the_application_are_told_without_it(self, tmp_path: Path) -> None:
        report = audit(tmp_path)
        assert report.silent
        assert all(each.needs_app for each in report.silent)
        assert set(report.asked) | set(report.silent) == set(RULES)


class TestFiles:
    def test_what_is_no_text_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "a.py").write_bytes(b"\xff\xfe\x00")
        (tmp_path / "b.py").write_text("x = " + "(" * 500 + ")" * 500)
        (tmp_path / "loop").symlink_to(tmp_path)
        assert [path for path, _ in audit(tmp_path).unreadable] == ["a.py", "b.py"]

    def test_a_file_of_another_language_version_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "old.py").write_text("print 'hello'\n")
        report = audit(tmp_path)
        assert [path for path, _ in report.unreadable] == ["old.py"]

    def test_tests_and_environments_are_not_read(self, tmp_path: Path) -> None:
        for folder in ("tests", "venv", "migrations", ".hidden", "node_modules"):
            (tmp_path / folder).mkdir()
            (tmp_path / folder / "bad.py").write_text(LEAK.format(comment=""))
        (tmp_path / "venv" / "pyvenv.cfg").touch()
        assert audit(tmp_path).files == 0

    def test_a_named_folder_is_read_whatever_it_is_called(self, tmp_path: Path) -> None:
        (tmp_path / "tests").mkdir()
        (tmp_path / "tests" / "bad.py").write_text(LEAK.format(comment=""))
        assert ids(audit(tmp_path, [tmp_path / "tests"])) == ["tls-verify-off"]

    @pytest.mark.parametrize(
        ("ignored", "found"), [("", True), (".env\n", False), ("*.log\n.env*\n", False), ("!.env\n", True)]
    )
    def test_what_gitignore_names_is_not_committed(self, tmp_path: Path, ignored: str, found: bool) -> None:
        (tmp_path / ".git").mkdir()
        (tmp_path / ".gitignore").write_text(ignored)
        (tmp_path / ".env").write_text("SECRET=1\n")
        assert ("env-committed" in ids(audit(tmp_path))) is found


def test_frameworks_from_before_routes_were_a_tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("fastapi.routing.iter_route_contexts")
    (tmp_path / "older.py").write_text(
        "from fastapi import FastAPI\napp = FastAPI()\n\n@app.get('/orders/{id}/cancel')\ndef cancel(id: int): ...\n"
    )
    with imported(tmp_path, "older:app") as app:
        assert ids(audit(tmp_path, app=app)) == ["action-by-get"]


def test_two_reports_on_the_same_are_the_same(tmp_path: Path) -> None:
    report = look_at(tmp_path, LEAK.format(comment=""))
    again = look_at(tmp_path, LEAK.format(comment=""))
    assert replace(report, files=0) == replace(again, files=0)
