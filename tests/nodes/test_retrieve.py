"""What may be said in a turn: the business's own passages, live facts, what a colleague told."""

from tests.nodes.stage import Stage


async def test_a_price_question_brings_the_price_list_and_the_records_price(stage: Stage) -> None:
    thread = await stage.customer()
    await thread.say("Quanto costa un massaggio rilassante?")
    passages, facts = thread.state["passages"], thread.state["facts"]
    assert 1 <= len(passages) <= stage.context.tuning.passages
    assert [piece["id"] for piece in passages] == [f"P{n}" for n in range(1, len(passages) + 1)]
    assert all(-1 <= piece["score"] <= 1 for piece in passages)
    assert any(fact["kind"] == "price" and "65,00" in fact["text"] for fact in facts)


async def test_one_business_never_finds_the_documents_of_another(stage: Stage) -> None:
    known = {
        slug: {
            row["path"]
            for row in await stage.rows("SELECT path FROM document WHERE business_id = %s", business_id)
        }
        for slug, business_id in stage.ids.items()
    }
    thread = await stage.customer("conti")
    await thread.say("Quanto costa un massaggio rilassante?")
    found = {piece["source"] for piece in thread.state["passages"]}
    assert found
    assert found <= known["conti"]
    assert not any("massaggio" in fact["text"].lower() for fact in thread.state["facts"])


async def test_what_a_colleague_told_answers_when_it_is_asked_about(stage: Stage) -> None:
    thread = await stage.customer()
    await thread.say("Vorrei parlare con una persona")
    await thread.handed_back(
        "Accordo fatto",
        facts={"parcheggio": "posto riservato numero 7"},
        promises=["Sconto sul prossimo facial"],
    )
    await thread.say("Per il parcheggio come facciamo?")
    told = [fact for fact in thread.state["facts"] if fact["kind"] == "colleague"]
    assert [fact["text"] for fact in told] == ["parcheggio: posto riservato numero 7"]
    await thread.say("Quanto costa un massaggio rilassante?")
    assert not [fact for fact in thread.state["facts"] if fact["kind"] == "colleague"]


async def test_a_question_about_nothing_of_ours_is_abstained_from(stage: Stage) -> None:
    thread = await stage.customer()
    await thread.say("Riparate biciclette da montagna?")
    assert thread.state["proposal"]["abstained"] is True
    assert thread.state["outcome"]["kind"] == "answered"
    assert (await thread.conversation()).owner == "bot"
