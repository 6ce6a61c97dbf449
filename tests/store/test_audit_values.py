"""What a change is written down as: digests that its values can be held against, and nothing else can."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import to_jsonable_python

from freehold.store.audit_sealing import _canonical, _record
from freehold.store.audit_values import digests_in, is_altered, said, sealed
from freehold.store.trail import _SAID

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)
CHANGES = st.dictionaries(
    st.text(min_size=1, max_size=9), st.fixed_dictionaries({"to": VALUES}, optional={"from": VALUES})
)


class TestSealed:
    @given(CHANGES, VALUES)
    def test_what_is_kept_is_what_was_said_and_no_other(self, changes: dict[str, Any], other: Any) -> None:
        members, beside = sealed({name: said(change) for name, change in changes.items()})
        digests, content = digests_in(json.loads(f"{{{members}}}")), json.loads(beside)
        assert digests.keys() == content.keys() == changes.keys()
        for name, change in changes.items():
            salt, kept = content[name]
            assert kept == change
            assert not is_altered(name, [salt, kept], digests[name])
            if other != change["to"]:
                assert is_altered(name, [salt, {**kept, "to": other}], digests[name])
            assert is_altered(name, [salt[1:] + salt[0] + "0", kept], digests[name])
            assert is_altered(f"{name}x", [salt, kept], digests[name])

    def test_records_of_before_the_digests_stood_in_one_text_are_held_against_theirs(self) -> None:
        digest = "6d81ca7095c61de449226e86312bdd5c03aca42126f6edc1ce0f73e431d66f8e"
        found = digests_in({"changed": {"a": digest}})
        kept = ["00112233445566778899aabbccddeeff", {"from": None, "to": "old"}]
        assert not is_altered("a", kept, found["a"])
        assert is_altered("a", [kept[0], {"from": None, "to": "new"}], found["a"])
        assert is_altered("b", kept, found["a"])

    def test_digests_that_were_cut_off_fit_no_value(self) -> None:
        members, beside = sealed({"a": '{"to":1}', "b": '{"to":1}'})
        details = json.loads(f"{{{members}}}")
        for kept in ("", None, 7, "A", details["digests"][:44]):
            digests = digests_in({**details, "digests": kept})
            assert digests.keys() == {"a", "b"}
            assert is_altered("b", json.loads(beside)["b"], digests["b"])

    def test_no_salt_is_given_twice(self) -> None:
        seen = [salt for _ in range(300) for salt, _ in json.loads(sealed({"a": "1", "b": "1"})[1]).values()]
        assert len(set(seen)) == 600
        assert {len(each) for each in seen} == {32}


@given(
    VALUES
    | st.uuids()
    | st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=3))]))
    | st.datetimes()
    | st.dates()
    | st.decimals(allow_nan=False)
)
def test_values_are_said_as_they_are_in_json(value: Any) -> None:
    assert json.loads(_SAID[type(value)](value)) == to_jsonable_python(value)


def test_a_key_of_a_driver_is_said_as_any() -> None:
    class DriversUuid(UUID):
        pass

    key = DriversUuid(int=7)
    assert _SAID[type(key)](key) == f'"{key}"'


def test_an_instant_of_a_whole_second_is_said_in_utc() -> None:
    assert _SAID[datetime](datetime(2024, 5, 1, tzinfo=UTC)) == '"2024-05-01T00:00:00Z"'


@given(
    st.fixed_dictionaries(
        {
            "sequence": st.integers(1, 2**62),
            "action": st.text(max_size=5),
            "before": st.none() | CHANGES,
            "after": st.none(),
            "details": st.none() | st.dictionaries(st.sampled_from(["changed", "other"]), VALUES, max_size=2),
        }
    )
    | st.fixed_dictionaries(
        {
            "before": st.none(),
            "after": st.none(),
            "details": st.fixed_dictionaries(
                {"changed": st.lists(st.text(max_size=4) | st.floats()), "digests": st.text() | st.integers()}
            ),
        }
    )
)
def test_a_record_has_one_form_whoever_writes_it(record: dict[str, Any]) -> None:
    assert _canonical(record) == json.dumps(record, sort_keys=True, separators=(",", ":")).encode()


@given(st.datetimes(timezones=st.just(UTC)))
def test_an_instant_is_hashed_as_in_chains_of_before(at: datetime) -> None:
    row: Any = SimpleNamespace(
        id="", recorded_at=at, principal_id=None, system_reason=None, action="", subject_type="", subject_id="", request_id=""
    )  # fmt: skip
    assert _record(row, 1, None, None, None)["recorded_at"] == at.isoformat()
