"""Every kind of difference, with what it does to clients, why, and what to do instead."""

from __future__ import annotations

from typing import NamedTuple


class Rule(NamedTuple):
    """severity: breaking, risky or safe. remedy: empty where there is nothing to do."""

    severity: str
    reason: str
    remedy: str = ""


_NEW_VERSION = "or leave it as it is and make the change in a new version"
_REFUSED = "What a client sends by the contract is refused now."
_UNREAD = "A client that reads by the contract meets what it was told cannot come."

RULES = {
    # operations
    "operation.removed": Rule(
        "breaking",
        "Its clients get 404 or 405.",
        "Keep it and mark it deprecated; leave it out of the next version.",
    ),
    "operation.retired": Rule(
        "risky",
        "It was deprecated in the contract; clients that have not moved get 404 or 405.",
        "See in the access log that nobody calls it any longer.",
    ),
    "operation.added": Rule("safe", "No client knows it yet."),
    "operation.deprecated": Rule("safe", "It still works, and clients are told to move."),
    "operation.revived": Rule("safe", "It goes on working."),
    "operation.renamed": Rule(
        "risky", "Generated clients name their methods after the operationId.", "Keep the operationId."
    ),
    # parameters
    "parameter.removed": Rule(
        "breaking",
        "A client that sends it is refused, or gets an answer that it did not ask for.",
        f"Take it again, {_NEW_VERSION}.",
    ),
    "parameter.ignored": Rule(
        "risky", "A header or cookie that is sent has no effect any longer.", "Say so to its clients before."
    ),
    "parameter.added": Rule("safe", "Clients that do not send it get what they got before."),
    "parameter.added_required": Rule(
        "breaking", "Clients that do not know it are refused.", "Make it optional, with a default."
    ),
    "parameter.required": Rule("breaking", "Clients that leave it out are refused.", "Make it optional again."),
    "parameter.optional": Rule("safe", "Clients that send it are served as before."),
    "parameter.style": Rule("breaking", "The same text means something else.", "Keep style and explode."),
    # request bodies
    "body.added_required": Rule("breaking", "Clients that send none are refused.", "Make the body optional."),
    "body.added": Rule("safe", "Clients that send none are served as before."),
    "body.removed": Rule("breaking", "What clients send is not read any longer.", f"Read it again, {_NEW_VERSION}."),
    "body.required": Rule("breaking", "Clients that send none are refused.", "Make the body optional again."),
    "body.optional": Rule("safe", "Clients that send one are served as before."),
    "body.media_type_removed": Rule("breaking", "Clients that send it get 415.", "Take this media type again."),
    "body.media_type_added": Rule("safe", "Clients go on with the one they send."),
    # answers
    "answer.status_removed": Rule(
        "breaking",
        "A client that waits for this status takes the answer for a failure.",
        f"Answer with this status again, {_NEW_VERSION}.",
    ),
    "answer.status_added": Rule(
        "risky",
        "A client that knows only the statuses of the contract does not know what to do with this one.",
        "Answer with the status that was there.",
    ),
    "answer.error_removed": Rule("safe", "Clients meet one refusal less."),
    "answer.error_added": Rule("safe", "Clients have to be ready for any refusal (4xx, 5xx)."),
    "answer.media_type_removed": Rule("breaking", "Clients cannot read what comes instead.", "Offer it again."),
    "answer.media_type_added": Rule("safe", "Clients that ask for the other one get it."),
    "answer.body_added": Rule("risky", "An answer that had no body has one.", "Answer without a body."),
    "answer.header_removed": Rule("breaking", "Clients that read the header miss it.", "Send the header again."),
    "answer.header_added": Rule("safe", "Clients pass over headers that they do not know."),
    # who may call
    "security.required": Rule(
        "breaking", "Clients without credentials get 401.", "Leave it open, or protect it in a new version."
    ),
    "security.scheme_removed": Rule(
        "breaking", "Clients with these credentials get 401.", "Accept these credentials again."
    ),
    "security.scope_added": Rule(
        "breaking", "Tokens without the scope get 403.", "Ask for the scopes of the contract only."
    ),
    "security.opened": Rule("risky", "Clients go on working; anyone may call it now.", "Make sure that this is meant."),
    "security.widened": Rule("safe", "The credentials of before are accepted."),
    # what is sent: parameters and request bodies
    "request.field_added": Rule("safe", "Clients that do not send it are served as before."),
    "request.field_added_required": Rule(
        "breaking", "Clients that do not know it get 422.", "Give it a default, so that it is optional."
    ),
    "request.field_required": Rule("breaking", "Clients that leave it out get 422.", "Give it its default again."),
    "request.field_optional": Rule("safe", "Clients that send it are served as before."),
    "request.field_refused": Rule(
        "breaking", "Clients that send it get 422: unknown fields are refused.", f"Take it again, {_NEW_VERSION}."
    ),
    "request.field_ignored": Rule(
        "risky", "What clients send in it is lost without a word.", "Take it again, or say so to the clients before."
    ),
    "request.closed": Rule("breaking", "Clients that send more fields get 422.", "Go on ignoring unknown fields."),
    "request.opened": Rule("safe", "More is taken than before."),
    "request.type_changed": Rule("breaking", _REFUSED, f"Take the old type, {_NEW_VERSION}."),
    "request.type_narrowed": Rule("breaking", _REFUSED, "Take the old types too."),
    "request.type_widened": Rule("safe", "What was taken is taken."),
    "request.null_removed": Rule("breaking", "Clients that send null get 422.", "Take null again."),
    "request.null_added": Rule("safe", "What was taken is taken."),
    "request.values_removed": Rule("breaking", "Clients that send these values get 422.", "Take them again."),
    "request.values_added": Rule("safe", "What was taken is taken."),
    "request.limit_narrowed": Rule("breaking", _REFUSED, "Keep the limit, or loosen it."),
    "request.limit_widened": Rule("safe", "What was taken is taken."),
    "request.limit_changed": Rule(
        "risky", "Some of what was taken may be refused.", "Make sure that all that was taken still is."
    ),
    "request.default_changed": Rule(
        "risky", "Clients that leave it out get something else.", "Keep the default of the contract."
    ),
    # what is answered
    "answer.field_removed": Rule("breaking", "Clients that read it fail.", f"Answer it again, {_NEW_VERSION}."),
    "answer.field_added": Rule("safe", "Clients pass over fields that they do not know."),
    "answer.field_optional": Rule(
        "breaking",
        "A client that reads it finds it missing at times.",
        "Answer it always, null if need be in a new version.",
    ),
    "answer.field_required": Rule("safe", "It is there more often than before."),
    "answer.closed": Rule("safe", "Nothing comes that did not come before."),
    "answer.opened": Rule("safe", "Clients pass over fields that they do not know."),
    "answer.type_changed": Rule("breaking", _UNREAD, f"Answer the old type, {_NEW_VERSION}."),
    "answer.type_widened": Rule("breaking", _UNREAD, f"Answer the old type only, {_NEW_VERSION}."),
    "answer.type_narrowed": Rule("safe", "Nothing comes that did not come before."),
    "answer.null_added": Rule("breaking", "Clients that do not look for null fail on it.", "Answer a value always."),
    "answer.null_removed": Rule("safe", "Nothing comes that did not come before."),
    "answer.values_added": Rule(
        "risky",
        "A client that knows only the values of the contract does not know what to do with these.",
        "Say so to the clients before, or answer them in a new version only.",
    ),
    "answer.values_removed": Rule("safe", "Nothing comes that did not come before."),
    "answer.limit_widened": Rule(
        "risky", "Values come that were outside the limits of the contract.", "Keep the limit, if clients rely on it."
    ),
    "answer.limit_narrowed": Rule("safe", "Nothing comes that did not come before."),
    "answer.limit_changed": Rule("risky", "Values of another form may come.", "Make sure that clients can read them."),
}
