"""How much of each prompt a language model's engine has read before: a real llama.cpp, our prompts.

An engine keeps what it computed for a prompt as long as the next one begins with the same tokens. So what is
the same in every turn stands first, then the conversation, and this turn's facts last.
"""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from inference.chat import Answered, Request
from inference.errors import ModelMissing
from inference.extractive import ExtractiveResponder
from jobs.services import Services
from sara import services
from sara.bench.figures import row, shown, spread
from sara.demo import prepare
from sara.exchange import Customer, exchange
from sara.local import Local, local_on
from sara.settings import Settings
from sara.smollm2 import Reading, SmolLM2

QUESTIONS = (
    "Quanto costa un massaggio rilassante?",
    "E quanto dura?",
    "A che ora aprite domani?",
    "C'è il parcheggio?",
    "Fate anche la pulizia del viso?",
    "Quanto costa?",
    "Come arrivo in metro?",
    "Posso pagare con la carta?",
    "Siete aperti la domenica?",
    "Cosa devo portare?",
    "Avete buoni regalo?",
    "Quanto dura un massaggio decontratturante?",
)
_PATIENCE_S = 600.0  # a busy machine reads a first prompt for minutes
_LATER = 1  # the first turn of a conversation has only the instructions in common with earlier ones


@dataclass
class _Reader:
    """Has llama.cpp read every prompt, and answers from records: the conversation is the same each time."""

    engine: SmolLM2
    readings: list[Reading] = field(default_factory=list)
    name: str = "read by llama.cpp"

    async def propose(self, request: Request) -> Answered:
        self.readings.append(await self.engine.read(request))
        return await ExtractiveResponder().propose(request)


async def measure(settings: Settings, rounds: int) -> dict[str, Any]:
    """`rounds` messages of one customer, then the first of another: tokens of each prompt, and how many of
    them llama.cpp still knew. Without its two packages only `skipped`, which says what to install."""
    try:
        reader = _Reader(SmolLM2.load())
    except ModelMissing as error:
        return {"skipped": str(error)}
    with tempfile.TemporaryDirectory(prefix="sara-bench-") as folder:
        own = settings.model_copy(
            update={"data_dir": Path(folder), "database_url": None, "gather_seconds": 0.0}
        )
        async with services.database(own) as dsn:
            async with services.record(own, dsn) as crm:
                await prepare(own, dsn, crm, report=lambda _: None, reading=("aurora",))

            def reads(worker: Services) -> Services:
                return replace(worker, context=replace(worker.context, chat=reader))

            async with local_on(own, dsn, equip=reads) as whole:
                await _talk(whole, "393910000001", rounds)
                talked = len(reader.readings)
                await _talk(whole, "393910000002", 1)
    return figures_of(reader.readings[:talked], reader.readings[talked:])


async def _talk(whole: Local, wa_id: str, turns: int) -> None:
    for number in range(turns):
        text = QUESTIONS[number % len(QUESTIONS)]
        await exchange(whole, Customer("aurora", wa_id, "Anna", _PATIENCE_S), text=text)


def figures_of(talk: Sequence[Reading], others: Sequence[Reading]) -> dict[str, Any]:
    """What was measured, from the readings of one conversation and of another customer's first turn."""
    later = talk[_LATER:]
    return {
        "turns": len(talk),
        "prompt_tokens": spread([one.cached + one.read for one in talk]),
        "read_tokens": spread([one.read for one in later]),
        "cached_share": spread([_share(one) for one in later]),
        "other_customer_share": _share(others[0]) if others else 0.0,
        "first_prompt_ms": round(talk[0].milliseconds, 1),
        "later_prompt_ms": spread([one.milliseconds for one in later]),
        "each": [[one.cached, one.read] for one in talk],
    }


def _share(one: Reading) -> float:
    return round(one.cached / max(1, one.cached + one.read), 3)


def table(figures: Mapping[str, Any]) -> str:
    """The figures for a person."""
    if "skipped" in figures:
        return f"left out: {figures['skipped']}"
    return "\n".join(
        [
            row(f"{figures['turns']} turns of one conversation", "median", "p95"),
            row("tokens of a prompt", *shown(figures["prompt_tokens"])),
            row("… that had to be read, after the first", *shown(figures["read_tokens"])),
            row("… share known from before", *shown(figures["cached_share"])),
            row("the same, another customer's first turn", figures["other_customer_share"]),
            row("ms to take the first prompt in", figures["first_prompt_ms"]),
            row("ms to take a later one in", *shown(figures["later_prompt_ms"])),
            row("cached + read", " ".join(f"{cached}+{read}" for cached, read in figures["each"])),
        ]
    )
