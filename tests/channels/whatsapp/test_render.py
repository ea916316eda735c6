from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.messages import Button, OutboundMessage, Row
from channels.whatsapp.render import to_graph, to_whatsapp


@pytest.mark.parametrize(
    ("markdown", "shown"),
    [
        ("**Aurora** è __aperta__", "*Aurora* è *aperta*"),
        ("## Orari ##\ntesto", "*Orari*\ntesto"),
        ("# **Prezzi**", "*Prezzi*"),
        ("[prenota](https://x.it/a_(b))", "prenota (https://x.it/a_(b))"),
        ("[https://x.it](https://x.it)", "https://x.it"),
        ("[info@x.it](mailto:info@x.it)", "info@x.it"),
        ("![mappa](https://x.it/m.png)", "mappa (https://x.it/m.png)"),
        ("* uno\n  + due\n- tre", "- uno\n  - due\n- tre"),
        ("~~80~~ 65 €", "~80~ 65 €"),
        ("`**codice**` e **b**", "`**codice**` e *b*"),
        ("2 * 3 * 4 = 24 e 5**2", "2 * 3 * 4 = 24 e 5**2"),
        ("https://x.it/a__b__c", "https://x.it/a__b__c"),
        ("*già così*", "*già così*"),
        ("#hashtag", "#hashtag"),
        ("a\ud800b", "a\ufffdb"),
    ],
)
def test_markdown_becomes_whatsapp_formatting(markdown: str, shown: str) -> None:
    assert to_whatsapp(markdown) == shown


@given(st.text(st.sampled_from('ab*_~`#[]()! \n<>"/:.+-'), max_size=200))
def test_rendering_never_lengthens(text: str) -> None:
    assert len(to_whatsapp(text)) <= len(text)


def test_text_on_the_wire() -> None:
    body = to_graph(
        OutboundMessage(body="**Sì** https://x.it", reply_to="wamid.1", preview=True),
        to="393331112222",
        recipient="IT.abc",
        callback_data="outbox:1",
    )
    assert body == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": "393331112222",
        "type": "text",
        "text": {"body": "*Sì* https://x.it", "preview_url": True},
        "context": {"message_id": "wamid.1"},
        "biz_opaque_callback_data": "outbox:1",
    }


def test_a_customer_without_a_phone_is_addressed_by_user_id() -> None:
    body = to_graph(OutboundMessage(body="Sì"), to=None, recipient="IT.abc", callback_data="x")
    assert body["recipient"] == "IT.abc"
    assert "to" not in body
    with pytest.raises(ValueError, match="recipient"):
        to_graph(OutboundMessage(body="Sì"), to=None, recipient=None, callback_data="x")


def test_interactive_and_document_on_the_wire() -> None:
    ask = OutboundMessage(kind="buttons", body="Ok?", buttons=(Button(id="y", title="Sì"),), footer="Aurora")
    assert to_graph(ask, to="1", recipient=None, callback_data="x")["interactive"] == {
        "type": "button",
        "body": {"text": "Ok?"},
        "footer": {"text": "Aurora"},
        "action": {"buttons": [{"type": "reply", "reply": {"id": "y", "title": "Sì"}}]},
    }
    pick = OutboundMessage(kind="list", body="Quando?", rows=(Row(id="1", title="Oggi"),), opener="Orari")
    assert to_graph(pick, to="1", recipient=None, callback_data="x")["interactive"] == {
        "type": "list",
        "body": {"text": "Quando?"},
        "action": {"button": "Orari", "sections": [{"rows": [{"id": "1", "title": "Oggi"}]}]},
    }
    paper = OutboundMessage(kind="document", media_id="7", filename="a.pdf")
    assert to_graph(paper, to="1", recipient=None, callback_data="x")["document"] == {
        "id": "7",
        "filename": "a.pdf",
    }
