"""Webhooks of customers that do not exist, for benchmarks."""

import json
import time

NUMBER_SHOWN = "390200000000"


def text_payload(phone_number_id: str, wa_id: str, wamid: str, text: str) -> bytes:
    """A customer's text as Meta posts it, not yet signed."""
    message = {
        "from": wa_id,
        "id": wamid,
        "timestamp": str(int(time.time())),
        "type": "text",
        "text": {"body": text},
    }
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": NUMBER_SHOWN, "phone_number_id": phone_number_id},
        "contacts": [{"profile": {"name": "Bench"}, "wa_id": wa_id}],
        "messages": [message],
    }
    entry = {"id": "1", "changes": [{"field": "messages", "value": value}]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()
