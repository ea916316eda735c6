"""The HTTP application on loopback with a database of its own and no models: two businesses and their people.

Everything the first business has is marked with a word that nobody else may ever read.
"""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
from fastapi import FastAPI
from psycopg.rows import DictRow, dict_row

from api.app import create_app
from api.console.access import COOKIE
from crm import businesses, calendars, logins, registry
from crm.record import Crm
from crm.sealing import Seal
from sara import seed, services
from sara.local import listen, serving
from sara.settings import Settings, load
from tests.db.scene import set_up, tenant_tables
from tests.jobs.shop import own_database

MARK = "zibaldone"
PASSWORD = "correct horse battery staple"
ROLES = ("agent", "supervisor", "admin")


@dataclass(frozen=True)
class Person:
    """Somebody with a cookie for the console and a token for the API; neither for nobody."""

    name: str
    email: str = ""
    agent_id: int = 0
    cookie: str = ""
    csrf: str = ""
    token: str = ""

    @property
    def headers(self) -> dict[str, str]:
        """What their browser and their program send along."""
        if not self.cookie:
            return {}
        return {"Cookie": f"{COOKIE}={self.cookie}", "Authorization": f"Bearer {self.token}"}


@dataclass(frozen=True)
class House:
    """The application, its database and everybody who may knock; `things` are ids of the first business."""

    url: str
    app: FastAPI
    dsn: str
    crm: Crm
    settings: Settings
    business: str
    other: str
    business_id: int
    people: dict[str, list[Person]]
    things: dict[str, Any]
    days: "itertools.count[int]"

    async def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        """Rows as the database's owner sees them."""
        async with await _owner(self.dsn) as owner:
            cursor = await owner.execute(query, values or None)
            return await cursor.fetchall() if cursor.description else []

    async def fingerprint(self) -> set[tuple[str, str]]:
        """A digest of all rows of the first business, table by table."""
        async with await _owner(self.dsn) as owner:
            found = set()
            for name in await tenant_tables(owner):
                cursor = await owner.execute(
                    f"SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) AS digest"
                    f" FROM {name} t WHERE business_id = %s",
                    (self.business_id,),
                )
                [row] = await cursor.fetchall()
                found.add((name, row["digest"]))
        return found

    async def ids(self, route: str, *, fresh: bool) -> dict[str, Any]:
        """What the address of a route names; `fresh`: things of its own for what can be done only once."""
        form = "cancel" if "appointment" in route else "thresholds" if "settings" in route else "ticket"
        made: dict[str, Any] = {}
        if fresh and route.startswith("POST") and "{appointment_id}" in route:
            made["appointment_id"] = await self._appointment()
        if fresh and route.endswith("/delete"):
            made["document_id"] = await self._document()
        return {**self.things, "form": form, **made}

    async def again(self, person: Person) -> Person:
        """The same person in another session; who cannot have one stays as they are."""
        if not person.csrf:
            return person
        return await entered(self.crm, person)

    async def _appointment(self) -> int:
        async with await _owner(self.dsn) as owner:
            return await appointment(owner, self.business_id, next(self.days))

    async def _document(self) -> int:
        async with await _owner(self.dsn) as owner:
            return await document(owner, self.business_id, f"{MARK}-{next(self.days)}.md")


async def _owner(dsn: str) -> psycopg.AsyncConnection[DictRow]:
    return await psycopg.AsyncConnection.connect(dsn, autocommit=True, row_factory=dict_row)


async def person(crm: Crm, business: str, role: str, name: str) -> Person:
    """Somebody new who works for a business, logged in and with a token."""
    email = f"{role}.{name.replace(' ', '.').lower()}@{business}.example"
    async with crm.as_owner() as tx:
        await registry.add_agent(tx, email, name, business=business, role=role)
        await logins.set_password(tx, email, PASSWORD)
        token = await registry.new_token(tx, email)
    return await entered(crm, Person(name, email=email, token=token))


async def password_given(crm: Crm, email: str) -> logins.Entered:
    """What somebody's password opens."""
    return await logins.log_in(crm, email, PASSWORD, "127.0.0.1", site=b"here", checks=asyncio.Semaphore(1))


async def entered(crm: Crm, who: Person) -> Person:
    """The same person in a session of their own."""
    cookie = (await password_given(crm, who.email)).cookie
    async with crm.outside() as tx:
        session = await logins.session(tx, cookie)
    assert session is not None
    return replace(who, cookie=cookie, csrf=session.csrf, agent_id=session.agent_id)


async def appointment(owner: psycopg.AsyncConnection[DictRow], business_id: int, day: int) -> int:
    """One that is booked, so many days from now."""
    cursor = await owner.execute(
        "INSERT INTO appointment (business_id, contact_id, service_id, resource_id, during, idempotency_key)"
        " SELECT c.business_id, c.contact_id, k.service_id, k.resource_id,"
        " tstzrange(now() + %(day)s * interval '1 day', now() + (%(day)s + 0.01) * interval '1 day'),"
        " 'house ' || %(day)s"
        " FROM contact c JOIN resource_skill k USING (business_id)"
        " WHERE c.business_id = %(b)s AND c.wa_id = 'scene' LIMIT 1 RETURNING appointment_id",
        {"b": business_id, "day": day},
    )
    [row] = await cursor.fetchall()
    return int(row["appointment_id"])


async def document(owner: psycopg.AsyncConnection[DictRow], business_id: int, path: str) -> int:
    """One that was taken in, without its passages."""
    cursor = await owner.execute(
        "INSERT INTO document (business_id, path, title, language, content_hash)"
        " VALUES (%s, %s, %s, 'it', 'hash') RETURNING document_id",
        (business_id, path, MARK),
    )
    [row] = await cursor.fetchall()
    return int(row["document_id"])


async def _things(dsn: str, business_id: int, seal: Seal) -> dict[str, Any]:
    """Plants the word in every table of the business; returns the ids of what was planted."""
    async with await _owner(dsn) as owner:
        await set_up(owner, business_id, MARK)
        sound = seal.close(f"OggS {MARK}".encode())
        for statement, values in (
            ("UPDATE contact SET name = %s WHERE business_id = %s AND wa_id = 'scene'", (MARK, business_id)),
            ("UPDATE recording SET sealed = %s WHERE business_id = %s", (sound, business_id)),
            ("UPDATE inbound_file SET sealed = %s WHERE business_id = %s", (sound, business_id)),
            (
                "UPDATE message SET file_id = f.file_id FROM stored_file f WHERE f.business_id = %s"
                " AND message.business_id = f.business_id AND message.wamid = 'scene'",
                (business_id,),
            ),
        ):
            await owner.execute(statement, values)
        found: dict[str, Any] = {
            "asset": "console.css",
            "code": "it",
            "key": "scene",
            "figure": "conversations",
            "split": "languages",
            "appointment_id": await appointment(owner, business_id, 1),
            "document_id": await document(owner, business_id, f"{MARK}.md"),
        }
        for name, table in (
            ("conversation_id", "conversation"),
            ("message_id", "message"),
            ("contact_id", "contact"),
            ("handoff_id", "handoff"),
            ("outbox_id", "outbox"),
            ("proposal_id", "fact_proposal"),
        ):
            cursor = await owner.execute(
                f"SELECT max({name}) AS id FROM {table} WHERE business_id = %s", (business_id,)
            )
            [row] = await cursor.fetchall()
            found[name] = row["id"]
    return found


async def _people(dsn: str, crm: Crm, business: str, other: str) -> dict[str, list[Person]]:
    people = {role: [await person(crm, business, role, f"{MARK} {role}")] for role in ROLES}
    foreign = [await person(crm, other, role, "Irene Altrove") for role in ROLES]
    ended = await person(crm, business, "admin", "Ended")
    disabled = await person(crm, business, "admin", "Disabled")
    async with crm.as_owner() as tx:
        await registry.new_token(tx, ended.email)
    async with crm.outside() as tx:
        await logins.log_out(tx, ended.cookie)
    # Nothing but the mark: the cookie and the token are still in their tables.
    async with await _owner(dsn) as owner:
        await owner.execute("UPDATE agent SET active = false WHERE agent_id = %s", (disabled.agent_id,))
    return {
        **people,
        "nobody": [Person("nobody")],
        "foreign": foreign,
        "smuggled": [foreign[-1]],
        "ended": [replace(ended, csrf="")],
        "disabled": [replace(disabled, csrf="")],
        "forged": people["admin"],
    }


@asynccontextmanager
async def open_house(folder: Path) -> AsyncIterator[House]:
    """The application on a database in `folder`, ready when the block starts."""
    async with AsyncExitStack() as stack:
        dsn = await stack.enter_async_context(own_database(folder))
        settings = load(
            data_dir=folder,
            database_url=None,
            llm="extractive",
            llm_fallback=None,
            whatsapp_base_url="http://127.0.0.1:9",  # nobody listens there
            whatsapp_app_secret="app-secret",
            whatsapp_verify_token="verify-token",
            limit_caller=0,  # tests ask as fast as they can
            limit_address=0,
        )
        crm = await stack.enter_async_context(services.record(settings, dsn))
        await seed.enter_seeds(crm)
        business, other = "aurora", "conti"
        people = await _people(dsn, crm, business, other)
        async with crm.outside() as tx:
            business_id = await businesses.of_slug(tx, business)
        sound = services.seal(settings)
        assert sound is not None
        things = await _things(dsn, business_id, sound)
        async with crm.transaction(business_id) as tx:
            resource = (await businesses.resources(tx))[0]
            things["token"] = await calendars.new_feed(tx, resource.resource_id)
        app = create_app(lambda: services.api(settings, dsn, crm))
        listener = stack.enter_context(listen(0))
        await stack.enter_async_context(serving(app, listener))
        yield House(
            url=f"http://127.0.0.1:{listener.getsockname()[1]}",
            app=app,
            dsn=dsn,
            crm=crm,
            settings=settings,
            business=business,
            other=other,
            business_id=business_id,
            people=people,
            things=things,
            days=itertools.count(2),
        )
