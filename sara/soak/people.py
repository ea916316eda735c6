"""Simulated customers: they ask, speak, press, book, cancel, want a person, opt out; in bursts, at a rate."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from channels.messages import Button, Row
from channels.simulator.simulator import NoSuchButton, Simulator
from channels.simulator.world import SimMessage
from sara.demo import JOURNEYS
from sara.soak.words import TALK, Language, Talk, day_in_words, some

SPOKEN: Mapping[str, Sequence[Language]] = {
    "1001": ("it", "en", "es", "pt"),
    "1002": ("it", "en"),
    "1003": ("pt", "es", "en"),
}
"""The demo's numbers and the languages their customers write in."""
_BOOKABLE = "1001"
_PATIENCE_S = 12.0  # for a reply; then the customer goes on regardless
_LOOK_S = 0.2
_MOST_PRESSED = 6
_AGAIN = 0.5  # how often a customer who has written before comes back
_VISITORS_PER_RATE = 4  # conversations at once, for each message a second


@dataclass(frozen=True)
class Written:
    """A message of a customer, as the simulator knows it; in the order of writing."""

    wamid: str
    number: str
    customer: str


class Crowd:
    """Everybody who writes. `written` is all they wrote, `acts` how many of what kind."""

    def __init__(self, simulator: Simulator, *, rate: float, seed: int) -> None:
        self._simulator = simulator
        self._rate = rate
        self._chance = random.Random(seed)  # noqa: S311 - guards nothing
        self._turn = asyncio.Lock()
        self._known: list[tuple[str, str, Language]] = []
        self._busy: set[str] = set()
        self._people = 0
        self.written: list[Written] = []
        self.acts: Counter[str] = Counter()
        self._notes = {
            language: (JOURNEYS / "voice" / f"{language}-booking.ogg").read_bytes() for language in TALK
        }

    async def write(self) -> None:
        """Visits one after another, several at once; until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(max(3, round(self._rate * _VISITORS_PER_RATE))):
                group.create_task(self._visits())

    async def passer_by(self) -> None:
        """Somebody else asks something: the traffic any number has, whose statuses tell of earlier ones."""
        for number, languages in SPOKEN.items():
            self._people += 1
            talk = TALK[languages[0]]
            customer = f"{talk.prefix}{self._people:06d}"
            await self._say(number, customer, {"text": some(self._chance, talk.questions)})

    async def _visits(self) -> None:
        while True:
            number, customer, language = self._somebody()
            self._busy.add(customer)
            try:
                await self._pick(number)(number, customer, language)
            except NoSuchButton:
                self.acts["button that was gone"] += 1
            finally:
                self._busy.discard(customer)

    def _somebody(self) -> tuple[str, str, Language]:
        free = [one for one in self._known[-200:] if one[1] not in self._busy]
        if free and self._chance.random() < _AGAIN:
            return free[self._chance.randrange(len(free))]
        number = some(self._chance, list(SPOKEN))
        spoken = SPOKEN[number]
        language = spoken[self._chance.randrange(len(spoken))]
        self._people += 1
        one = (number, f"{TALK[language].prefix}{self._people:06d}", language)
        self._known.append(one)
        return one

    def _pick(self, number: str) -> Callable[[str, str, Language], Awaitable[None]]:
        bookable = number == _BOOKABLE
        weights: list[tuple[float, Callable[[str, str, Language], Awaitable[None]]]] = [
            (10, self._asks),
            (0.5, self._speaks),
            (2, self._wants_a_person),
            (4 if bookable else 0, self._books),
            (0.5, self._leaves),
        ]
        [act] = self._chance.choices([act for _, act in weights], [weight for weight, _ in weights])
        return act

    async def _asks(self, number: str, customer: str, language: Language) -> None:
        talk = TALK[language]
        for _ in range(self._chance.randint(1, 3)):
            before = len(self._heard(number, customer))
            burst = [some(self._chance, talk.more) for _ in range(self._chance.choice((0, 0, 1, 2)))]
            await self._say(
                number, customer, *({"text": text} for text in (*burst, some(self._chance, talk.questions)))
            )
            self.acts["burst" if burst else "question"] += 1
            await self._reply(number, customer, before)

    async def _speaks(self, number: str, customer: str, language: Language) -> None:
        before = len(self._heard(number, customer))
        await self._say(number, customer, {"voice": self._notes[language]})
        self.acts["voice note"] += 1
        await self._reply(number, customer, before)

    async def _wants_a_person(self, number: str, customer: str, language: Language) -> None:
        talk = TALK[language]
        await self._say(number, customer, {"text": some(self._chance, talk.person)})
        self.acts["wants a person"] += 1
        for _ in range(self._chance.randint(0, 2)):
            await asyncio.sleep(self._chance.uniform(0.5, 4))
            await self._say(number, customer, {"text": some(self._chance, talk.waiting)})
        await self._reply(number, customer, len(self._heard(number, customer)))

    async def _books(self, number: str, customer: str, language: Language) -> None:
        talk = TALK[language]
        day = (self._simulator.world.now() + timedelta(days=self._chance.randint(4, 75))).date()
        before = len(self._heard(number, customer))
        words = some(self._chance, talk.book).format(day=day_in_words(language, day.month, day.day))
        await self._say(number, customer, {"text": words})
        self.acts["booking begun"] += 1
        await self._reply(number, customer, before)
        await self._press_on(number, customer)
        if self._chance.random() < 0.5:
            await self._cancels(number, customer, talk)

    async def _cancels(self, number: str, customer: str, talk: Talk) -> None:
        before = len(self._heard(number, customer))
        await self._say(number, customer, {"text": talk.cancel})
        self.acts["cancellation begun"] += 1
        await self._reply(number, customer, before)
        before = len(self._heard(number, customer))
        await self._say(number, customer, {"text": talk.yes})
        await self._reply(number, customer, before)

    async def _leaves(self, number: str, customer: str, language: Language) -> None:
        for word in ("STOP", "START"):
            before = len(self._heard(number, customer))
            await self._say(number, customer, {"text": word})
            await self._reply(number, customer, before)
        self.acts["opted out and in"] += 1

    async def _press_on(self, number: str, customer: str) -> None:
        """Presses the first thing on the screen, again and again, as somebody who takes what is offered."""
        for _ in range(_MOST_PRESSED):
            heard = self._heard(number, customer)
            shown: tuple[Button | Row, ...] = (*heard[-1].buttons, *heard[-1].rows) if heard else ()
            offered = [choice.id for choice in shown]
            takes = [one for one in offered if not one.startswith(("human:", "callback:"))]
            if not takes:
                return
            await self._say(number, customer, {"button": takes[0]})
            self.acts["button"] += 1
            await self._reply(number, customer, len(heard))

    async def _say(self, number: str, customer: str, *contents: Mapping[str, Any]) -> None:
        """Writes when it is the crowd's turn: `rate` messages a second, irregularly, a burst at once."""
        async with self._turn:
            await asyncio.sleep(sum(self._chance.expovariate(self._rate) for _ in contents))
        for content in contents:
            wamid = await self._simulator.customer_sends(
                number, customer, name=f"C {customer[-4:]}", **content
            )
            self.written.append(Written(wamid, number, customer))
            if content is not contents[-1]:
                await asyncio.sleep(self._chance.uniform(0.02, 0.6))

    async def _reply(self, number: str, customer: str, before: int) -> None:
        """Waits for something new on the phone, and then a moment to read it; not for ever."""
        for _ in range(round(_PATIENCE_S / _LOOK_S)):
            if len(self._heard(number, customer)) > before:
                break
            await asyncio.sleep(_LOOK_S)
        await asyncio.sleep(self._chance.uniform(0.2, 1.5))

    def _heard(self, number: str, customer: str) -> list[SimMessage]:
        return [one for one in self._simulator.world.thread(number, customer) if one.direction == "out"]
