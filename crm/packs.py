"""What a business takes from its vertical: questions, topics for humans, disclaimers, words, its queue."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from crm.record import Tx


@dataclass(frozen=True)
class SentenceRow:
    kind: str
    key: str
    language: str
    body: str


@dataclass(frozen=True)
class RuleRow:
    part: str
    key: str
    value: str


@dataclass(frozen=True)
class QuestionRow:
    intent: str
    key: str
    answer: str
    required: bool
    weight: int
    option: str | None
    language: str | None
    title: str | None
    share: float | None


@dataclass(frozen=True)
class Asked:
    """A question; `texts` and the titles of `options` (by option) are per language.

    `weight` is how much the answer tells about a lead, `shares` what part of it an option earns (else all).
    """

    key: str
    answer: str
    required: bool
    texts: dict[str, str]
    options: dict[str, dict[str, str]] = field(default_factory=dict)
    weight: int = 1
    shares: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Topic:
    """What only a human answers: the phrases, of all languages, by which it is recognised."""

    key: str
    kind: str
    phrases: dict[str, list[str]]


@dataclass(frozen=True)
class Disclaimer:
    """A sentence that is added on an occasion: `said`, with `phrases` when that is `about`."""

    key: str
    said: str
    texts: dict[str, str]
    phrases: dict[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Pack:
    """A business's vertical with its own changes. An empty one changes nothing."""

    tone: dict[str, str] = field(default_factory=dict)
    address: dict[str, str] = field(default_factory=dict)
    queue: str | None = None
    queue_names: dict[str, str] = field(default_factory=dict)
    intents_off: frozenset[str] = frozenset()
    questions: dict[str, list[Asked]] = field(default_factory=dict)
    topics: list[Topic] = field(default_factory=list)
    disclaimers: list[Disclaimer] = field(default_factory=list)
    prefer: dict[str, list[str]] = field(default_factory=dict)
    avoid: dict[str, list[str]] = field(default_factory=dict)

    @property
    def formal(self) -> list[str]:
        """The languages in which customers are addressed with Lei, usted and the like."""
        return sorted(language for language, form in self.address.items() if form == "formal")


async def pack(tx: Tx, sentences: Iterable[SentenceRow]) -> Pack:
    """The pack of the transaction's business; `sentences` are all of its own sentences."""
    texts: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for sentence in sentences:
        texts[sentence.kind, sentence.key][sentence.language] = sentence.body
    phrases: dict[tuple[str, str], dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for phrase in await tx.all(SentenceRow, "pack_phrases"):
        phrases[phrase.kind, phrase.key][phrase.language].append(phrase.body)
    rules: dict[str, list[RuleRow]] = defaultdict(list)
    for rule in await tx.all(RuleRow, "pack_rules"):
        rules[rule.part].append(rule)
    queue = next((rule.key for rule in rules["queue"]), None)
    return Pack(
        tone=texts.get(("tone", "tone"), {}),
        address=texts.get(("address", "address"), {}),
        queue=queue,
        queue_names=texts.get(("queue", queue or ""), {}),
        intents_off=frozenset(rule.key for rule in rules["off"]),
        questions=_questions(await tx.all(QuestionRow, "pack_questions"), texts),
        topics=[Topic(r.key, r.value, dict(phrases["topic", r.key])) for r in rules["topic"]],
        disclaimers=[
            Disclaimer(r.key, r.value, texts["disclaimer", r.key], dict(phrases["disclaimer", r.key]))
            for r in rules["disclaimer"]
        ],
        prefer=dict(phrases["prefer", "prefer"]),
        avoid=dict(phrases["avoid", "avoid"]),
    )


def _questions(
    rows: Iterable[QuestionRow], texts: Mapping[tuple[str, str], dict[str, str]]
) -> dict[str, list[Asked]]:
    found: dict[str, dict[str, Asked]] = defaultdict(dict)
    for row in rows:
        said = texts.get(("question", _named(row.intent, row.key)), {})
        asked = found[row.intent].setdefault(
            row.key, Asked(row.key, row.answer, row.required, said, weight=row.weight)
        )
        if row.option is not None and row.language is not None and row.title is not None:
            asked.options.setdefault(row.option, {})[row.language] = row.title
            if row.share is not None and row.share < 1:
                asked.shares[row.option] = row.share
    return {intent: list(questions.values()) for intent, questions in found.items()}


async def put(tx: Tx, business: int, given: Pack) -> None:
    """Enters the pack of a business in place of the one it had; its earlier sentences are already cleared."""
    await tx.run("clear_pack", business=business)
    await tx.run("put_queue", business=business, queue=given.queue)
    for intent in sorted(given.intents_off):
        await tx.run("put_intent_off", business=business, intent=intent)
    await _put_texts(tx, business, "tone", "tone", given.tone)
    await _put_texts(tx, business, "address", "address", given.address)
    if given.queue is not None:
        await _put_texts(tx, business, "queue", given.queue, given.queue_names)
    for intent, questions in given.questions.items():
        for ordinal, asked in enumerate(questions):
            await _put_question(tx, business, intent, ordinal, asked)
    for topic in given.topics:
        await tx.run("put_topic", business=business, key=topic.key, kind=topic.kind)
        await _put_phrases(tx, business, "topic", topic.key, topic.phrases)
    for disclaimer in given.disclaimers:
        await tx.run("put_disclaimer", business=business, key=disclaimer.key, said=disclaimer.said)
        await _put_texts(tx, business, "disclaimer", disclaimer.key, disclaimer.texts)
        await _put_phrases(tx, business, "disclaimer", disclaimer.key, disclaimer.phrases)
    await _put_phrases(tx, business, "prefer", "prefer", given.prefer)
    await _put_phrases(tx, business, "avoid", "avoid", given.avoid)


async def _put_question(tx: Tx, business: int, intent: str, ordinal: int, asked: Asked) -> None:
    about = {"business": business, "intent": intent, "key": asked.key}
    await tx.run(
        "put_question",
        **about,
        ordinal=ordinal,
        answer=asked.answer,
        required=asked.required,
        weight=asked.weight,
    )
    await _put_texts(tx, business, "question", _named(intent, asked.key), asked.texts)
    for place, (option, titles) in enumerate(asked.options.items()):
        for language, title in titles.items():
            share = asked.shares.get(option, 1.0)
            await tx.run(
                "put_option",
                **about,
                option=option,
                language=language,
                ordinal=place,
                title=title,
                share=share,
            )


async def _put_texts(tx: Tx, business: int, kind: str, key: str, texts: Mapping[str, str]) -> None:
    for language, body in texts.items():
        await tx.run("put_text", business=business, kind=kind, key=key, language=language, body=body)


async def _put_phrases(
    tx: Tx, business: int, kind: str, key: str, phrases: Mapping[str, Iterable[str]]
) -> None:
    for language, bodies in phrases.items():
        for ordinal, body in enumerate(bodies):
            await tx.run(
                "put_phrase",
                business=business,
                kind=kind,
                key=key,
                language=language,
                ordinal=ordinal,
                body=body,
            )


def _named(intent: str, key: str) -> str:
    """The key a question's sentences have among all sentences of the business."""
    return f"{intent}.{key}"
