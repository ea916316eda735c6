"""Words in scripts that nobody here reads are no way past the check."""

import pytest

from inference.grounding import Source, check
from inference.grounding_scripts import unread

PASSAGES = (
    "La domenica siamo chiusi. Gli animali non sono ammessi. La disdetta è a pagamento.",
    "Massaggio rilassante: 60 minuti, 65,00 €. La taverna si chiama Καλή Θέα. Pizzette da 12 µm, 3 m².",
)


@pytest.mark.parametrize(
    "answer",
    [
        "Мы открыты в воскресенье, массаж для вас бесплатный. Запись подтверждена на завтра.",
        "我们星期天也营业，可以带宠物，您的预约已经确认。",
        "Примите двойную дозу ибупрофена и не ходите к врачу.",
        "Il massaggio rilassante costa 65,00 €. 取消预约完全免费，随时可以退款。",
        "نحن مفتوحون يوم الأحد",
        "日曜日も営業しています。",
        "Il massaggio rilassante costa ٤٥ €.",
        "Το μασάζ είναι δωρεάν.",
        "La taverna si chiama Θέα Καλή.",
    ],
)
def test_what_nobody_can_check_is_refused(answer: str) -> None:
    report = check(answer, [Source(str(at), text) for at, text in enumerate(PASSAGES)], "it")
    assert not report.supported
    assert any(claim.value == "in letters that cannot be checked" for claim in report.unsupported)


@pytest.mark.parametrize(
    "text",
    [
        "Sørensen, Łukasz, Đurić, Ağca e Nguyễn: naïve, œuvre, straße 🙂👍🏽 ™ №5 ½ 1ª 2º 12 µm 3 m² ⅓ ①",
        "La taverna si chiama Καλή Θέα, e la  «καλή θέα» è del 1990.",
        "𝐌𝐚𝐬𝐬𝐚𝐠𝐠𝐢𝐨 a Ｒｏｍａ, ﬁno alle ９",
        "",
    ],
)
def test_letters_like_ours_and_what_a_source_writes_are_none_of_those(text: str) -> None:
    assert list(unread(text, PASSAGES)) == []


def test_each_run_of_words_is_named() -> None:
    said = "Oggi да, конечно e domani 是的. Fine нет"
    assert list(unread(said, PASSAGES)) == ["да, конечно", "是的", "нет"]
