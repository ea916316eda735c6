"""What a vertical changes in a turn: the prompt, what goes to a human, what is not carried out."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from crm import packs
from crm.businesses import Profile, profile
from crm.packs import Pack
from sara import seed
from tests.nodes.stage import Scripted, Stage, says


@asynccontextmanager
async def other_pack(stage: Stage, slug: str, **changes: object) -> AsyncIterator[None]:
    """Aurora, say, with another pack for the length of the block."""
    business = next(b for b in seed.seeds() if b.slug == slug)
    own = seed.entry_of(business).pack
    await _enter(stage, slug, replace(own, **changes))  # type: ignore[arg-type]
    try:
        yield
    finally:
        await _enter(stage, slug, own)


async def _enter(stage: Stage, slug: str, pack: Pack) -> None:
    async with stage.crm.as_owner() as tx:
        kinds = "('tone', 'address', 'queue', 'question', 'disclaimer')"
        await tx.connection.execute(
            f"DELETE FROM business_text WHERE business_id = %s AND kind IN {kinds}",  # type: ignore[arg-type]
            (stage.ids[slug],),
        )
        await packs.put(tx, stage.ids[slug], pack)


async def loaded(stage: Stage, slug: str) -> Profile:
    async with stage.crm.transaction(stage.ids[slug]) as tx:
        return await profile(tx)


async def test_the_prefix_tells_manner_words_and_disclaimers(stage: Stage) -> None:
    chat = Scripted(says("Certo."))
    await (await stage.customer(chat=chat)).say("Dove siete?")
    system = chat.asked[0].system
    assert "Frasi brevi e distese." in system
    assert "Words (it): say trattamento, percorso" in system
    assert "never say cura, guarisce" in system
    assert "Words (en): say treatment" in system
    assert "Words (es)" not in system
    assert "do not write them:\n- I nostri trattamenti sono per il benessere" in system
    assert "- request_quote\n" in system


async def test_an_intent_that_is_off_is_not_offered_to_the_model(stage: Stage) -> None:
    chat = Scripted(says("Certo."))
    async with other_pack(stage, "aurora", intents_off=frozenset({"request_quote", "book_appointment"})):
        await (await stage.customer(chat=chat)).say("Dove siete?")
    system = chat.asked[0].system
    assert "request_quote" not in system
    assert "book_appointment" not in system
    assert "- qualify_lead (interested" in system
    assert "- answer (a question)" in system


async def test_an_empty_pack_leaves_nothing_behind(stage: Stage) -> None:
    chat = Scripted(says("Certo."))
    empty = {name: getattr(Pack(), name) for name in Pack.__dataclass_fields__}
    async with other_pack(stage, "aurora", **empty):
        thread = await stage.customer(chat=chat)
        await thread.say("Dove siete?")
        await thread.say("Vorrei parlare con una persona")
        assert thread.state["handoff"]["packet"]["queue"] is None
    assert "Words (" not in chat.asked[0].system
    assert "$" not in chat.asked[0].system


@pytest.mark.parametrize(
    ("slug", "text", "topic", "label"),
    [
        ("conti", "Ieri mi hanno notificato un atto di citazione", "served_document", "legal"),
        ("conti", "mio fratello è in questura adesso", "in_custody", "emergency"),
        ("costa-azul", "¿el precio del piso es negociable?", "price_offer", "policy"),
        ("costa-azul", "a imobiliária pediu transferência antes da visita", "possible_fraud", "policy"),
        ("aurora", "ho avuto una reazione allergica all'olio", "reaction_after_treatment", "medical"),
    ],
)
async def test_topics_of_the_vertical_go_to_a_human_at_once(
    stage: Stage, slug: str, text: str, topic: str, label: str
) -> None:
    chat = Scripted(says("never asked"))
    thread = await stage.customer(slug, chat=chat)
    await thread.say(text)
    assert chat.asked == []
    assert thread.state["sensitivity"]["escalate"] is True
    (handoff,) = await thread.handoffs()
    assert (handoff["reason"], handoff["label"]) == ("sensitive", label)
    packet = thread.state["handoff"]["packet"]
    assert packet["sensitivity"]["topic"] == topic
    assert packet["queue"]["key"] == handoff["queue"]
    assert (await thread.conversation()).owner == "human"


async def test_an_emergency_of_the_vertical_names_the_number_first(stage: Stage) -> None:
    thread = await stage.customer("conti")
    await thread.say("mio fratello è in questura adesso")
    assert "112" in thread.words.split(".")[0]


async def test_a_topic_a_human_has_just_handed_back_does_not_return_at_once(stage: Stage) -> None:
    thread = await stage.customer("costa-azul", chat=Scripted(says("Sim.", abstained=True)))
    await thread.say("quero fazer uma proposta de 200 mil euros")
    await thread.say("o preço é negociável?")
    await thread.handed_back("Falámos ao telefone.")
    assert (await thread.conversation()).owner == "bot"
    assert len(await thread.handoffs()) == 1


async def test_the_general_emergency_lexicon_comes_before_a_topic(stage: Stage) -> None:
    thread = await stage.customer("aurora")
    await thread.say("ho una reazione allergica, non respiro e ho un dolore forte al petto")
    assert thread.state["sensitivity"]["label"] == "emergency"


async def test_the_thresholds_of_the_pack_are_the_businesss_until_it_sets_its_own(stage: Stage) -> None:
    scorer = (await stage.customer("conti")).context.sensitivity
    conti, aurora = await loaded(stage, "conti"), await loaded(stage, "aurora")
    assert conti.thresholds == pytest.approx({"legal": 0.38})
    assert scorer.threshold("it", conti.thresholds, "legal") == pytest.approx(0.38)
    assert scorer.threshold("it", conti.thresholds, "medical") == scorer.threshold("it")
    assert scorer.threshold("it", aurora.thresholds, "legal") == scorer.threshold("it")


async def test_an_intent_that_is_off_offers_a_person_and_acts_on_nothing(stage: Stage) -> None:
    wish = says("Prenotato!", intent="book_appointment")
    async with other_pack(stage, "aurora", intents_off=frozenset({"book_appointment"})):
        thread = await stage.customer(chat=Scripted(wish))
        await thread.say("massaggio rilassante venerdì alle 15")
        assert "Prenotato" not in thread.words
        assert thread.words.startswith("Non posso organizzarlo io da qui.")
        assert thread.state["frame"] == {}
        offered = thread.state["outcome"]["replies"][-1]["options"]
        assert [option["id"] for option in offered] == ["human:yes", "human:no"]
        await thread.say("Sì, una persona", kind="interactive", option="human:yes")
        assert (await thread.conversation()).owner == "human"


async def test_a_frame_outlives_an_intent_that_is_off(stage: Stage) -> None:
    booking, quote = says("", intent="book_appointment"), says("", intent="request_quote")
    async with other_pack(stage, "aurora", intents_off=frozenset({"request_quote"})):
        thread = await stage.customer(chat=Scripted(booking, quote))
        await thread.say("massaggio rilassante")
        await thread.say("venerdì pomeriggio alle tre")
        assert thread.state["frame"]["intent"] == "book_appointment"


async def test_a_frame_of_an_intent_switched_off_meanwhile_is_dropped(stage: Stage) -> None:
    thread = await stage.customer(chat=Scripted(says("", intent="book_appointment")))
    await thread.say("massaggio rilassante venerdì alle 15")
    async with other_pack(stage, "aurora", intents_off=frozenset({"book_appointment"})):
        await thread.say("sì")
    assert thread.state["frame"] == {}
    booked = await stage.rows("SELECT 1 FROM appointment WHERE contact_id = %s", thread.contact_id)
    assert booked == []


async def test_a_disclaimer_is_added_once_and_never_to_an_abstention(stage: Stage) -> None:
    unknown = says("Non lo so.", abstained=True)
    thread = await stage.customer(chat=Scripted(unknown, says("Certo, volentieri.")))
    await thread.say("Fate massaggi in gravidanza?")
    assert "non sostituiscono una cura" not in thread.words
    await thread.say("E con il mal di schiena vi va bene?")
    assert thread.words.count("non sostituiscono una cura") == 1
    await thread.say("E con la cervicale va bene?")
    assert "non sostituiscono una cura" not in thread.words
