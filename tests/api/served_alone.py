"""`sara serve` in this process, without its socket: what it answers and which modules it has loaded.

Arguments: a business and the cookie of somebody who works there. Prints JSON.
"""

import asyncio
import json
import sys

import httpx

from api.console.access import COOKIE
from channels.whatsapp.signature import sign
from sara import asgi, cli
from sara.bench.webhooks import text_payload
from sara.commands import run
from sara.settings import load

PAGES = ("", "/contacts", "/calendar", "/dashboard", "/knowledge", "/settings", "/undelivered")


async def answers(business: str, cookie: str) -> dict[str, int]:
    """Statuses by path, of the machine's own addresses, a webhook, and the console's pages."""
    settings = load()
    app = asgi.make_app(settings)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://sara", cookies={COOKIE: cookie}) as http,
    ):
        paths = [
            "/healthz",
            "/readyz",
            "/metrics",
            "/console/login",
            *(f"/console/{business}{page}" for page in PAGES),
        ]
        found = {path: (await http.get(path)).status_code for path in paths}
        raw = text_payload("1001", "393330001234", "wamid.alone", "Buongiorno")
        signed = {"X-Hub-Signature-256": sign(settings.whatsapp_app_secret.get_secret_value(), raw)}
        posted = await http.post("/webhooks/whatsapp", content=raw, headers=signed)
        return {**found, "/webhooks/whatsapp": posted.status_code}


if __name__ == "__main__":
    assert cli.app  # imported as by the command itself
    assert run.serve
    told = asyncio.run(answers(*sys.argv[1:]))
    loaded = sorted({name.partition(".")[0] for name in sys.modules})
    print(json.dumps({"answers": told, "loaded": loaded}))
