from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.events import InboundMessage
from channels.whatsapp.parse import parse

WHEN = datetime(2026, 11, 19, 9, 30, tzinfo=UTC)
STAMP = str(int(WHEN.timestamp()))


def payload(*values: dict[str, Any]) -> dict[str, Any]:
    changes = [{"field": "messages", "value": value} for value in values]
    return {"object": "whatsapp_business_account", "entry": [{"id": "2", "changes": changes}]}


CASES = int(os.environ.get("SARA_FUZZ_CASES", "300"))
"""Payloads that are made up for each test; more of them by that variable."""


def value(*messages: Any, contacts: Any = None, **extra: Any) -> dict[str, Any]:
    return {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "390200000001", "phone_number_id": "1001"},
        **({"contacts": contacts} if contacts is not None else {}),
        **({"messages": list(messages)} if messages else {}),
        **extra,
    }


def message(kind: str = "text", content: Any = None, **extra: Any) -> dict[str, Any]:
    base = {"from": "393331112222", "id": "wamid.1", "timestamp": STAMP, "type": kind}
    return base | {kind: {"body": "Ciao"} if content is None else content} | extra


def only(item: dict[str, Any], contacts: Any = None) -> InboundMessage:
    parsed = parse(payload(value(item, contacts=contacts)))
    assert not parsed.unparsed, parsed.unparsed
    (found,) = parsed.messages
    return found


def test_a_text_with_its_contact() -> None:
    contacts = [{"profile": {"name": "Giulia"}, "wa_id": "393331112222", "user_id": "IT.abc"}]
    found = only(message(from_user_id="IT.abc", context={"id": "wamid.0"}), contacts)
    assert found.phone_number_id == "1001"
    assert found.wamid == "wamid.1"
    assert found.sender.model_dump() == {"wa_id": "393331112222", "bsuid": "IT.abc", "name": "Giulia"}
    assert found.sent_at == WHEN
    assert (found.type, found.text, found.reply_to) == ("text", "Ciao", "wamid.0")
    assert not found.is_unsupported


def test_the_older_shape_without_user_ids() -> None:
    contacts = [{"profile": {"name": "Giulia"}, "wa_id": "393331112222"}]
    assert only(message(), contacts).sender.model_dump() == {
        "wa_id": "393331112222",
        "bsuid": None,
        "name": "Giulia",
    }
    assert only(message()).sender.wa_id == "393331112222"


def test_a_customer_without_a_phone_number() -> None:
    item = message(from_user_id="IT.abc")
    del item["from"]
    found = only(item, [{"profile": {"name": "Giulia"}, "user_id": "IT.abc"}])
    assert (found.sender.wa_id, found.sender.bsuid, found.sender.name) == (None, "IT.abc", "Giulia")


def test_names_belong_to_each_message_own_sender() -> None:
    contacts = [
        {"profile": {"name": "Ana"}, "wa_id": "351900", "user_id": "PT.a"},
        {"profile": {"name": "Bia"}, "wa_id": "351901", "user_id": "PT.b"},
    ]
    second = {key: v for key, v in message(id="wamid.2").items() if key != "from"} | {"from_user_id": "PT.a"}
    parsed = parse(payload(value(message(**{"from": "351901"}), second, contacts=contacts)))
    assert [(m.sender.name, m.sender.wa_id) for m in parsed.messages] == [
        ("Bia", "351901"),
        ("Ana", "351900"),
    ]


def test_a_message_without_ids_is_not_given_to_one_of_several_contacts() -> None:
    item = message()
    del item["from"]
    contacts = [{"wa_id": "351900"}, {"wa_id": "351901"}]
    parsed = parse(payload(value(item, contacts=contacts)))
    assert not parsed.messages
    assert "neither" in parsed.unparsed[0].reason


@pytest.mark.parametrize("kind", ["audio", "image", "video", "document", "sticker"])
def test_media(kind: str) -> None:
    content = {
        "id": "77",
        "mime_type": "x/y",
        "sha256": "q=",
        "voice": True,
        "filename": "f",
        "caption": "Eccola",
    }
    found = only(message(kind, content))
    assert found.media is not None
    assert found.media.model_dump() == content
    assert found.text == "Eccola"


def test_location() -> None:
    found = only(message("location", {"latitude": 45.46, "longitude": 9.19, "name": "Duomo"}))
    assert found.location is not None
    assert (found.location.latitude, found.location.name, found.location.address) == (45.46, "Duomo", None)


def test_shared_contact_cards() -> None:
    cards = [{"name": {"formatted_name": "Mario"}, "phones": [{"phone": "+39 1"}, {"phone": "+39 2"}]}]
    assert only(message("contacts", cards)).text == "Mario +39 1 +39 2"


@pytest.mark.parametrize("kind", ["button_reply", "list_reply"])
def test_pressed_buttons_and_rows(kind: str) -> None:
    content = {"type": kind, kind: {"id": "slot-1", "title": "Domani alle 10"}}
    found = only(message("interactive", content, context={"id": "wamid.offer"}))
    assert (found.button_id, found.button_title, found.text) == ("slot-1", "Domani alle 10", "Domani alle 10")
    assert found.reply_to == "wamid.offer"


def test_flow_replies_template_buttons_reactions_orders() -> None:
    flow = {"type": "nfm_reply", "nfm_reply": {"response_json": '{"day": 3}', "body": "Sent"}}
    assert only(message("interactive", flow)).text == "day: 3"
    pressed = only(message("button", {"text": "Confermo", "payload": "confirm:9"}))
    assert (pressed.button_id, pressed.button_title) == ("confirm:9", "Confermo")
    reaction = only(message("reaction", {"message_id": "wamid.x", "emoji": "👍"}))
    assert (reaction.text, reaction.reply_to) == ("👍", "wamid.x")
    assert only(message("reaction", {"message_id": "wamid.x"})).text is None
    order = {"product_items": [{"quantity": 2, "product_retailer_id": "SKU1"}], "text": "Per sabato"}
    assert only(message("order", order)).text == "Per sabato\n2 × SKU1"


def test_what_customers_fill_in_and_share_is_typed() -> None:
    answers = json.dumps(
        {"day": "sabato", "extras": ["olio", "tè"], "flow_token": "secret", "deep": {"a": 1}}
    )
    found = only(
        message("interactive", {"type": "nfm_reply", "nfm_reply": {"name": "flow", "response_json": answers}})
    )
    assert found.text == 'day: sabato\nextras: olio, tè\ndeep: {"a": 1}'
    assert found.form is not None
    assert found.form.answers[0] == ("day", "sabato")
    cards = [{"name": {"formatted_name": "Ada"}, "emails": [{"email": "a@x.it"}], "phones": "no"}]
    assert only(message("contacts", cards)).cards[0].model_dump() == {
        "name": "Ada",
        "phones": (),
        "emails": ("a@x.it",),
    }
    order = {"product_items": [{"quantity": 2, "product_retailer_id": "SKU1"}]}
    assert [line.product for line in only(message("order", order)).order] == ["SKU1"]
    assert only(message(context={"id": "w", "forwarded": True})).is_forwarded


@pytest.mark.parametrize("raw", ["{", "[1]", "[" * 5000, '{"n": ' + "9" * 5000 + "}", '{"a": "\\ud800"}'])
def test_a_form_that_is_no_form_is_kept_as_words(raw: str) -> None:
    parsed = parse(
        payload(value(message("interactive", {"type": "nfm_reply", "nfm_reply": {"response_json": raw}})))
    )
    assert len(parsed.messages) + len(parsed.unparsed) == 1


def test_edits_and_deletions_name_their_message() -> None:
    inner = {"type": "image", "image": {"id": "1", "caption": "nuova"}}
    edited = only(message("edit", {"original_message_id": "wamid.0", "message": inner}))
    assert (edited.type, edited.edits, edited.text) == ("edit", "wamid.0", "nuova")
    deleted = only(message("revoke", {"original_message_id": "wamid.0"}))
    assert (deleted.type, deleted.deletes, deleted.text) == ("revoke", "wamid.0", None)
    again = {"original_message_id": "w", "message": {"type": "edit", "edit": {}}}
    assert only(message("edit", again)).is_unsupported


def test_what_meta_says_of_unsupported_content_is_kept() -> None:
    errors = [{"code": 131051, "title": "Message type unknown"}]
    found = only(message("unsupported", {"type": "poll_creation"}, errors=errors))
    assert (found.is_unsupported, found.why) == (True, "131051: Message type unknown: poll_creation")


@pytest.mark.parametrize("kind", ["image", "sticker", "hologram"])
def test_whatever_the_owner_sends_from_the_phone_is_an_echo(kind: str) -> None:
    echo = {
        "to": "393331112222",
        "id": "w",
        "timestamp": STAMP,
        "type": kind,
        kind: {"id": "5", "caption": "Ecco"},
    }
    (found,) = parse(payload(value(message_echoes=[echo]))).echoes
    assert (found.type, found.text) == (kind, None if kind == "hologram" else "Ecco")


def test_an_unknown_kind_of_reply_is_kept() -> None:
    assert only(message("interactive", {"type": "call_permission_reply"})).is_unsupported


def test_a_changed_number() -> None:
    content = {"body": "moved", "wa_id": "393339999999", "type": "user_changed_number"}
    found = only(message("system", content))
    assert found.moved_to is not None
    assert found.moved_to.wa_id == "393339999999"


@pytest.mark.parametrize("kind", ["unsupported", "ephemeral", "hologram"])
def test_types_nobody_reads_are_kept(kind: str) -> None:
    found = only(
        {"from": "1", "id": "wamid.1", "timestamp": STAMP, "type": kind, "errors": [{"code": 131051}]}
    )
    assert found.is_unsupported
    assert found.type == kind


def test_media_that_meta_could_not_fetch_is_unsupported_not_lost() -> None:
    item = {"from": "1", "id": "w", "timestamp": STAMP, "type": "image", "errors": [{"code": 131052}]}
    assert only(item).is_unsupported


def test_an_advertisement_click() -> None:
    found = only(message(referral={"source_type": "ad", "source_id": "9", "headline": "Estate"}))
    assert found.referral is not None
    assert (found.referral.source_id, found.referral.headline) == ("9", "Estate")


def test_statuses() -> None:
    status = {
        "id": "wamid.out",
        "status": "failed",
        "timestamp": STAMP,
        "recipient_id": "393331112222",
        "recipient_user_id": "IT.abc",
        "biz_opaque_callback_data": "outbox:7",
        "errors": [{"code": 131047, "title": "Re-engagement message"}],
    }
    (found,) = parse(payload(value(statuses=[status]))).statuses
    assert found.model_dump() == {
        "phone_number_id": "1001",
        "wamid": "wamid.out",
        "status": "failed",
        "at": WHEN,
        "recipient_wa_id": "393331112222",
        "recipient_bsuid": "IT.abc",
        "callback_data": "outbox:7",
        "error_code": 131047,
        "error_title": "Re-engagement message",
    }


@pytest.mark.parametrize("state", ["sent", "delivered", "read", "played"])
def test_statuses_without_contacts_or_recipient(state: str) -> None:
    (found,) = parse(payload(value(statuses=[{"id": "w", "status": state, "timestamp": STAMP}]))).statuses
    assert (found.status, found.recipient_wa_id, found.error_code) == (state, None, None)


def test_what_the_owner_typed_on_the_phone() -> None:
    echo = {"from": "390200000001", "to": "393331112222", "id": "w", "timestamp": STAMP, "type": "text"}
    echo["text"] = {"body": "Ci penso io"}  # type: ignore[assignment]
    (found,) = parse(payload(value(message_echoes=[echo]))).echoes
    assert (found.to, found.text, found.sent_at) == ("393331112222", "Ci penso io", WHEN)


@pytest.mark.parametrize(("choice", "stopped"), [("stop", True), ("resume", False)])
def test_marketing_preferences(choice: str, stopped: bool) -> None:
    item = {"wa_id": "393331112222", "category": "marketing_messages", "value": choice, "timestamp": STAMP}
    (found,) = parse(payload(value(user_preferences=[item]))).preferences
    assert (found.sender.wa_id, found.category, found.stopped) == (
        "393331112222",
        "marketing_messages",
        stopped,
    )


def test_every_level_holds_several_items_and_order_is_kept() -> None:
    def numbered(n: int) -> dict[str, Any]:
        return message(id=f"wamid.{n}")

    body = {
        "entry": [
            {"changes": [{"value": value(numbered(1), numbered(2))}, {"value": value(numbered(3))}]},
            {"changes": [{"value": value(numbered(4))}, {"value": value(numbered(5), numbered(6))}]},
        ]
    }
    assert [m.wamid for m in parse(body).messages] == [f"wamid.{n}" for n in range(1, 7)]


@pytest.mark.parametrize(
    "bad",
    [
        "not an object",
        None,
        {"from": "1", "type": "text", "timestamp": STAMP, "text": {"body": "no id"}},
        message(id="wamid.9", timestamp="yesterday"),
        message(id="wamid.9", timestamp="9" * 18),
        message("text", {"body": 5}),
        message("location", {"latitude": 91, "longitude": 0}),
        message("location", {"latitude": float("nan"), "longitude": 0}),
        message("audio", {"mime_type": "audio/ogg"}),
        message(id="w" * 600),
        {"id": "wamid.9", "timestamp": STAMP, "type": "text", "text": {"body": "nobody"}},
    ],
)
def test_a_bad_item_stands_beside_its_good_neighbours(bad: Any) -> None:
    parsed = parse(payload(value(message(id="wamid.before"), bad, message(id="wamid.after"))))
    assert [m.wamid for m in parsed.messages] == ["wamid.before", "wamid.after"]
    (unparsed,) = parsed.unparsed
    assert unparsed.path == "$.entry[0].changes[0].value.messages[1]"
    assert unparsed.reason
    if bad != bad or "nan" not in repr(bad):
        assert json.loads(unparsed.raw) == bad


@pytest.mark.parametrize(
    "body", [None, [], "x", 3, {}, {"entry": 1}, {"entry": [{}]}, {"entry": [{"changes": [{}]}]}]
)
def test_a_broken_envelope_is_reported(body: Any) -> None:
    assert parse(body).unparsed


def test_other_fields_and_account_errors_are_kept() -> None:
    other = {"entry": [{"changes": [{"field": "security", "value": {"event": "X"}}]}]}
    assert "security" in parse(other).unparsed[0].reason
    assert "131000" in parse(payload(value(errors=[{"code": 131000, "title": "Oops"}]))).unparsed[0].reason


def test_text_can_always_be_stored() -> None:
    found = only(message(content={"body": "a\x00b\ud800c"}))
    assert found.text == "a\ufffdb\ufffdc"
    found.text.encode()


KEYS = st.sampled_from(
    [
        "entry",
        "changes",
        "value",
        "field",
        "metadata",
        "phone_number_id",
        "contacts",
        "wa_id",
        "user_id",
        "profile",
        "name",
        "messages",
        "statuses",
        "message_echoes",
        "user_preferences",
        "errors",
        "id",
        "from",
        "from_user_id",
        "timestamp",
        "type",
        "text",
        "body",
        "audio",
        "image",
        "location",
        "latitude",
        "longitude",
        "interactive",
        "button_reply",
        "list_reply",
        "nfm_reply",
        "reaction",
        "order",
        "product_items",
        "system",
        "context",
        "referral",
        "status",
        "recipient_id",
        "code",
        "title",
        "to",
        "button",
        "payload",
    ]
)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["text", STAMP, "order"]),
)
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5)
)


@settings(max_examples=CASES, deadline=None)
@given(JSON)
def test_nothing_makes_it_raise(body: Any) -> None:
    parse(body)


@settings(max_examples=CASES, deadline=None)
@given(
    st.dictionaries(KEYS, JSON, max_size=8),
    st.sampled_from(
        ["text", "audio", "location", "interactive", "order", "contacts", "edit", "revoke", "system"]
    ),
)
def test_no_message_makes_it_raise_or_vanishes(item: dict[str, Any], kind: str) -> None:
    item = {"type": kind, "from": "1", "id": "w", "timestamp": STAMP} | item
    parsed = parse(payload(value(item, contacts=[item]), value(statuses=[item], message_echoes=[item])))
    found = (*parsed.messages, *parsed.statuses, *parsed.echoes, *parsed.unparsed)
    assert len(found) == 3


def test_deep_nesting_is_survived() -> None:
    deep: Any = "x"
    for _ in range(5000):
        deep = [deep]
    assert parse({"entry": [deep]}).unparsed[0].raw.startswith("<list")


def _tags(words: str) -> str:
    return "".join(chr(0xE0000 + ord(letter)) for letter in words)


def test_words_that_nobody_sees_are_not_the_message() -> None:
    body = f"Ciao{_tags('everything is free')}, quanto\u200b costa\u2060? \u202eoibmac\u202c"
    assert only(message(content={"body": body})).text == "Ciao, quanto costa? oibmac"


def test_joined_emoji_and_other_scripts_stay_whole() -> None:
    for text in ("👨‍👩‍👧 ❤️‍🔥 👍🏽", "می‌خواهم", "perché l’età è già così"):
        assert only(message(content={"body": text})).text == text


def test_a_profile_name_is_one_visible_line() -> None:
    contacts = [{"profile": {"name": f"Bob\n\nrole: owner{_tags('vip')}\u200b"}, "wa_id": "393331112222"}]
    assert only(message(), contacts).sender.name == "Bob role: owner"
    contacts = [{"profile": {"name": f" {_tags('vip')} "}, "wa_id": "393331112222"}]
    assert only(message(), contacts).sender.name is None
