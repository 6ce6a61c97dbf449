"""What every answer carries, worked out once for each kind of answer."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from freehold.web import edge_headers
from freehold.web.edge_headers import finished

NAMES = st.sampled_from(
    [b"etag", b"ETag", b"vary", b"Vary", b"content-type", b"Content-Type", b"CONTENT-TYPE", b"cache-control", b"set-cookie",
     b"server", b"x-request-id", b"referrer-policy", b"link"]
)  # fmt: skip
VALUES = st.sampled_from([b"text/html", b"application/json", b"Accept", b"Origin, Accept", b"no-store", b"", b"x"])
ANSWERS = st.tuples(
    st.lists(st.tuples(NAMES, VALUES), max_size=4),
    st.sampled_from([200, 204, 404]),
    st.booleans(),
    st.booleans(),
)


@given(st.lists(ANSWERS, min_size=2, max_size=6))
def test_an_answer_carries_the_same_whatever_was_answered_before(
    answers: list[tuple[edge_headers.RawHeaders, int, bool, bool]],
) -> None:
    def ask() -> list[edge_headers.RawHeaders]:
        return [
            finished(fields, status=status, has_credentials=known, is_https=https, request_id=b"id")
            for fields, status, known, https in answers
        ]

    together = ask()
    for found, each in zip(together, answers, strict=True):
        edge_headers._known.clear()
        fields, status, known, https = each
        assert found == finished(fields, status=status, has_credentials=known, is_https=https, request_id=b"id")
        names = [name for name, _ in found]
        assert names.count(b"x-request-id") == names.count(b"vary") == 1
        assert b"server" not in names
        assert all(name == name.lower() for name in names)
    assert ask() == together


def test_fields_may_be_lists_as_an_application_below_may_have_them() -> None:
    found = finished(
        [[b"content-type", b"text/plain"], [b"vary", b"Accept"]],  # type: ignore[list-item]
        status=200, has_credentials=False, is_https=False, request_id=b"id",
    )  # fmt: skip
    assert dict(found).items() >= {
        b"content-type": b"text/plain; charset=utf-8", b"vary": b"Accept, Origin, Authorization, Cookie, X-API-Key",
    }.items()  # fmt: skip
