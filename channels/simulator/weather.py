"""What WhatsApp does wrong, or Meta decides, from the phone page: faults, limits, and news of the account."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from channels.simulator.account import TIERS, Approval, Quality
from channels.simulator.settings import Faults
from channels.simulator.simulator import Simulator
from channels.simulator.world import State

WaId = Annotated[str, Field(pattern=r"^[1-9][0-9]{5,14}$")]


class Weather(BaseModel):
    """What WhatsApp does wrong from now on; what is left out stays as it is.

    `throughput_per_s` and `tier` are limits, 0 for none; `refuse` are the codes of the next refusals.
    """

    model_config = ConfigDict(extra="forbid")

    faults: dict[str, float | bool] = {}
    throughput_per_s: Annotated[int | None, Field(ge=0)] = None
    pair_limit: bool | None = None
    tier: Annotated[int | None, Field(ge=0)] = None
    refuse: list[int] = []


class Decided(BaseModel):
    """Meta decides something about a business's account, and tells it by webhook.

    A new `limit` is enforced from then on. `template` and `language` name what an `approval` is about;
    `restricted` False reinstates the account.
    """

    model_config = ConfigDict(extra="forbid")

    business: str
    quality: Quality | None = None
    limit: Literal["TIER_250", "TIER_2K", "TIER_10K", "TIER_100K", "TIER_UNLIMITED"] | None = None
    restricted: bool | None = None
    template: str | None = None
    language: str | None = None
    approval: Approval | None = None


class Befallen(BaseModel):
    """Something befalls one conversation.

    `window` closed: as if the customer had last written over 24 hours ago. `status` is reported of the last
    message to the customer, however late, doubled or contradictory, with `code` for a failed one. `marketing`
    is the customer's choice in WhatsApp's menu, `owner` what the business's owner writes on the phone app.
    """

    model_config = ConfigDict(extra="forbid")

    business: str
    customer: WaId
    window: Literal["closed"] | None = None
    status: State | None = None
    code: int | None = None
    marketing: Literal["stop", "resume"] | None = None
    owner: Annotated[str | None, Field(min_length=1, max_length=4096)] = None


def add_weather(router: APIRouter, simulator: Simulator) -> None:
    """Routes below the phone page."""
    _add_faults(router, simulator)
    _add_news(router, simulator)


def _add_faults(router: APIRouter, simulator: Simulator) -> None:
    @router.get("/api/faults")
    async def faults() -> dict[str, Any]:
        return _weather(simulator)

    @router.post("/api/faults")
    async def change(weather: Weather) -> dict[str, Any]:
        try:
            wanted = {**simulator.faults.now.model_dump(), **weather.faults}
            simulator.faults.now = Faults.model_validate(wanted)
        except ValidationError as problem:
            raise HTTPException(422, problem.errors(include_url=False, include_context=False)) from None
        simulator.courier.p_duplicate = simulator.faults.now.p_duplicate
        quotas = simulator.quotas
        if weather.throughput_per_s is not None:
            quotas.throughput_per_s = weather.throughput_per_s or None
        if weather.pair_limit is not None:
            quotas.pair_limit = weather.pair_limit
        if weather.tier is not None:
            quotas.tier = weather.tier or None
        simulator.faults.refusals.extend(weather.refuse)
        return _weather(simulator)


def _weather(simulator: Simulator) -> dict[str, Any]:
    quotas = simulator.quotas
    return {
        "faults": simulator.faults.now.model_dump(),
        "throughput_per_s": quotas.throughput_per_s,
        "pair_limit": quotas.pair_limit,
        "tier": quotas.tier,
        "refuse": list(simulator.faults.refusals),
        "refused": dict(simulator.refused),
    }


def _add_news(router: APIRouter, simulator: Simulator) -> None:
    account, world = simulator.account, simulator.world

    @router.get("/api/account")
    async def shown(business: str) -> dict[str, Any]:
        return _account(simulator, business)

    @router.post("/api/account")
    async def decided(news: Decided) -> dict[str, Any]:
        number = _account(simulator, news.business)["waba_id"]
        if news.quality is not None:
            account.rate(news.business, news.quality)
        if news.limit is not None:
            account.promote(news.business, news.limit)
            simulator.quotas.tier = TIERS[news.limit]
        if news.restricted is not None:
            (account.restrict if news.restricted else account.reinstate)(news.business)
        if news.approval is not None:
            try:
                account.decide(number, news.template or "", news.language or "", news.approval)
            except KeyError:
                raise HTTPException(404, "no such template") from None
        return _account(simulator, news.business)

    @router.post("/api/befalls")
    async def befalls(news: Befallen) -> dict[str, bool]:
        _account(simulator, news.business)
        if news.window == "closed":
            world.close_window(news.business, news.customer)
        if news.status is not None:
            sent = world.sent_to(news.customer, news.business)
            if not sent:
                raise HTTPException(409, "nothing was sent to this customer yet")
            simulator.report(sent[-1].wamid, news.status, news.code)
        if news.marketing is not None:
            simulator.customer_prefers(news.business, news.customer, stop=news.marketing == "stop")
        if news.owner is not None:
            simulator.owner_sends(news.business, news.customer, news.owner)
        return {"ok": True}


def _account(simulator: Simulator, business: str) -> dict[str, Any]:
    """What the account of a number is like. Raises 404 for a number nobody has."""
    number, account = simulator.world.numbers.get(business), simulator.account
    if number is None:
        raise HTTPException(404, "no such business")
    templates = [
        {"name": name, "language": language, "status": template.status}
        for (waba_id, name, language), template in account.templates.items()
        if waba_id == number.waba_id
    ]
    return {
        "waba_id": number.waba_id,
        "quality": account.quality.get(business, "GREEN"),
        "limit": account.tier.get(business, "TIER_UNLIMITED"),
        "templates": templates,
    }
