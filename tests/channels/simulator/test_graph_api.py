from __future__ import annotations

from typing import Any

import pytest

GIULIA = "393331112222"
TEXT = {"messaging_product": "whatsapp", "to": GIULIA, "type": "text", "text": {"body": "Ciao"}}


async def post(stage: Any, body: Any, number: str = "1001", **options: Any) -> Any:
    headers = {"Authorization": "Bearer a-token"}
    content = {"content": body} if isinstance(body, bytes) else {"json": body}
    url = f"{stage.base_url}/v23.0/{number}/messages"
    return await stage.http.post(url, headers=headers, **content, **options)


def button(number: int = 1, **changes: Any) -> dict[str, Any]:
    return {"type": "reply", "reply": {"id": f"b{number}", "title": f"Sì {number}"}} | changes


def interactive(**changes: Any) -> dict[str, Any]:
    content = {"type": "button", "body": {"text": "Ok?"}, "action": {"buttons": [button()]}} | changes
    return TEXT | {"type": "interactive", "interactive": content}


async def test_an_accepted_send_answers_as_meta_does(stage: Any) -> None:
    await stage.simulator.customer_sends("1001", GIULIA, text="Ciao")
    response = await post(stage, TEXT | {"to": f"+{GIULIA}"})
    assert response.status_code == 200
    answer = response.json()
    assert answer["contacts"] == [{"input": f"+{GIULIA}", "wa_id": GIULIA}]
    assert answer["messages"][0]["id"].startswith("wamid.")
    assert [m.text for m in stage.simulator.sent_to(GIULIA)] == ["Ciao"]


@pytest.mark.parametrize(
    "body",
    [
        b"{not json",
        b"[]",
        {},
        {key: value for key, value in TEXT.items() if key != "messaging_product"},
        {key: value for key, value in TEXT.items() if key != "to"},
        TEXT | {"to": 39},
        TEXT | {"type": "hologram"},
        TEXT | {"type": ["text"]},
        TEXT | {"text": "Ciao"},
        TEXT | {"text": {"body": " "}},
        TEXT | {"text": {"body": "x" * 4097}},
        TEXT | {"biz_opaque_callback_data": "x" * 513},
        interactive(type="carousel"),
        interactive(body={"text": "x" * 1025}),
        interactive(footer={"text": "x" * 61}),
        interactive(action={"buttons": []}),
        interactive(action={"buttons": [button(n) for n in range(4)]}),
        interactive(action={"buttons": [button(), button()]}),
        interactive(action={"buttons": [button(reply={"id": "1", "title": "x" * 21})]}),
        interactive(action={"buttons": "none"}),
        interactive(type="list", action={"button": "Apri", "sections": [{"rows": []}]}),
        interactive(
            type="list", action={"button": "x" * 21, "sections": [{"rows": [{"id": "1", "title": "a"}]}]}
        ),
        interactive(
            type="list", action={"button": "Apri", "sections": [{"rows": [{"id": "1", "title": "a" * 25}]}]}
        ),
        interactive(
            type="list",
            action={
                "button": "Apri",
                "sections": [{"rows": [{"id": f"{n}", "title": "a"} for n in range(11)]}],
            },
        ),
        TEXT | {"type": "document", "document": {}},
        TEXT | {"type": "template", "template": {"name": "x"}},
    ],
)
async def test_every_mistake_is_meta_error_100(stage: Any, body: Any) -> None:
    await stage.simulator.customer_sends("1001", GIULIA, text="Ciao")
    response = await post(stage, body)
    assert response.status_code == 400
    error = response.json()["error"]
    assert (error["code"], error["type"]) == (100, "OAuthException")
    assert error["error_data"]["details"]
    assert error["fbtrace_id"]
    assert not stage.simulator.sent_to(GIULIA)


async def test_a_template_passes_outside_the_window(stage: Any) -> None:
    assert (await post(stage, TEXT)).json()["error"]["code"] == 131047
    parameters = [{"type": "body", "parameters": [{"type": "text", "text": "domani"}]}]
    template = {"name": "promemoria", "language": {"code": "it"}, "components": parameters}
    response = await post(stage, TEXT | {"type": "template", "template": template})
    assert response.status_code == 200
    assert stage.simulator.sent_to(GIULIA)[0].text == "[promemoria]\ndomani"


async def test_numbers_are_apart(stage: Any) -> None:
    await stage.simulator.customer_sends("1001", GIULIA, text="Ciao")
    assert (await post(stage, TEXT, "1002")).json()["error"]["code"] == 131047
    assert (await post(stage, TEXT, "1003")).json()["error"]["code"] == 100


async def test_media_needs_the_token(stage: Any) -> None:
    media = stage.simulator.world.keep_media(b"x", "audio/ogg")
    for path in (f"v23.0/{media.id}", f"_media/{media.id}"):
        response = await stage.http.get(f"{stage.base_url}/{path}")
        assert response.status_code == 401
        assert response.json()["error"]["code"] == 190
