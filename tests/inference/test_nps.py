"""Scores as customers write them, and everything else that has a number in it."""

import pytest

from inference.nps import Answer, complains, corrected, read

# language, what was written, the score, what of it is the comment
ANSWERS = [
    ("it", "9", 9, ""),
    ("it", "10!!!", 10, ""),
    ("it", "otto", 8, ""),
    ("it", "Dieci e lode", 10, ""),
    ("it", "un 9", 9, ""),
    ("it", "9, gentilissimi", 9, "gentilissimi"),
    ("it", "10/10", 10, ""),
    ("it", "8 su 10", 8, ""),
    ("it", "vi do un bel 10 ❤️", 10, ""),
    ("it", "Voto: 7", 7, ""),
    ("it", "8 e mezzo", 8, ""),
    ("it", "7,5", 7, ""),
    ("it", "8 o 9", 8, ""),
    ("it", "10 bravissimi", 10, "bravissimi"),
    ("it", "sei", 6, ""),
    ("it", "Gentilissimi, 10", 10, "Gentilissimi"),
    ("it", "9 perché mi avete fatto aspettare un po'", 9, "perché mi avete fatto aspettare un po'"),
    ("it", "3. Ho aspettato 40 minuti", 3, "Ho aspettato 40 minuti"),
    ("it", "9\nsiete stati molto disponibili", 9, "siete stati molto disponibili"),
    ("it", "0, voglio il rimborso e non ci torno mai più", 0, "voglio il rimborso e non ci torno mai più"),
    ("it", "10, martedì è stata una visita perfetta", 10, "martedì è stata una visita perfetta"),
    ("it", "9️⃣", 9, ""),
    ("it", "🔟", 10, ""),
    ("it", "scusa, volevo dire 9", 9, ""),
    ("en", "nine", 9, ""),
    ("en", "ten out of ten", 10, ""),
    ("en", "I'd give it a 9", 9, ""),
    ("en", "a solid 8", 8, ""),
    ("en", "7 or 8", 7, ""),
    ("en", "11/10 would recommend", 10, "would recommend"),
    ("en", "6 - too expensive for what it is", 6, "too expensive for what it is"),
    ("en", "0 terrible, nobody answered the phone", 0, "terrible, nobody answered the phone"),
    ("en", "Great service, 9", 9, "Great service"),
    ("en", "8, please improve the parking", 8, "please improve the parking"),
    ("en", "9 😊", 9, ""),
    ("en", "My score is 5", 5, ""),
    ("es", "ocho/10", 8, ""),
    ("es", "un 9 porque sois muy amables", 9, "porque sois muy amables"),
    ("es", "os doy un 10", 10, ""),
    ("es", "Nueve", 9, ""),
    ("es", "8 de 10", 8, ""),
    ("es", "diría que un 7", 7, ""),
    ("es", "2, una decepción total", 2, "una decepción total"),
    ("es", "10 todo perfecto, gracias", 10, "todo perfecto, gracias"),
    ("es", "yo diría un 6 y medio", 6, ""),
    ("pt", "dez", 10, ""),
    ("pt", "Nota 9", 9, ""),
    ("pt", "dou um 8", 8, ""),
    ("pt", "7 de 10", 7, ""),
    ("pt", "10, adorei o atendimento", 10, "adorei o atendimento"),
    ("pt", "4. Demoraram uma hora", 4, "Demoraram uma hora"),
    ("pt", "infelizmente um 3", 3, ""),
    ("pt", "Foi tudo ótimo! 10", 10, "Foi tudo ótimo"),
    ("pt", "daria nota 9", 9, ""),
]

OTHERS = [
    ("it", "alle 8"),
    ("it", "Alle 10 va bene"),
    ("it", "vorrei 2 posti"),
    ("it", "2 persone"),
    ("it", "8 persone, sabato sera"),
    ("it", "un 10 per favore?"),
    ("it", "9/10 alle 15"),
    ("it", "il 9/10"),
    ("it", "9 novembre"),
    ("it", "8:30"),
    ("it", "8.30"),
    ("it", "8, domani"),
    ("it", "10 minuti di ritardo, arrivo"),
    ("it", "sei molto gentile"),
    ("it", "sei un bot?"),
    ("it", "siamo in 8"),
    ("it", "9?"),
    ("it", "a che ora chiudete?"),
    ("it", "2, vorrei prenotare per domani sera"),
    ("it", "10 euro"),
    ("it", "Via Roma 8"),
    ("it", "8 e 30"),
    ("it", "ok, 8"),
    ("it", "non lo so"),
    ("it", "12"),
    ("it", "333 1234567"),
    ("it", "5 stelle"),
    ("it", "100%"),
    ("en", "at 9?"),
    ("en", "9 am"),
    ("en", "9am works"),
    ("en", "8 people"),
    ("en", "2 please"),
    ("en", "a table for 2"),
    ("en", "two massages"),
    ("en", "9 tomorrow"),
    ("en", "10, can I move my appointment"),
    ("en", "around 8"),
    ("en", "1 more thing"),
    ("en", "one of you said it was free"),
    ("en", "5 minutes late, sorry"),
    ("en", "9 o'clock"),
    ("es", "a las 8"),
    ("es", "8 de la tarde"),
    ("es", "8 y media"),
    ("es", "siete personas"),
    ("es", "un 10 por favor?"),
    ("es", "9 de octubre"),
    ("es", "2 entradas por favor"),
    ("es", "el 9/10"),
    ("es", "quiero 2 plazas"),
    ("pt", "às 8"),
    ("pt", "8 da manhã"),
    ("pt", "8h30"),
    ("pt", "2 pessoas, por favor"),
    ("pt", "9 de outubro"),
    ("pt", "dois bilhetes"),
    ("pt", "dia 8"),
    ("pt", "10, podem confirmar a marcação"),
    ("pt", "uma pergunta"),
]


# Written after the reader was finished, and read once before it was mended: 40 of 52 answers were taken
# then, and none of the 30 others.
LATER = [
    ("it", "Direi 8, tutto molto pulito", 8),
    ("it", "senza esitazione 10", 10),
    ("it", "Mah, un 5", 5),
    ("it", "9 e mezzo!", 9),
    ("it", "10 🎉🎉", 10),
    ("it", "vi consiglierei 9", 9),
    ("it", "Zero. Mai più.", 0),
    ("it", "sette", 7),
    ("it", "8, anche se il telefono era sempre occupato", 8),
    ("it", "Ci vediamo alle 9", None),
    ("it", "10 giorni fa ho prenotato", None),
    ("it", "2 adulti e 1 bambino", None),
    ("it", "il 10 siete chiusi?", None),
    ("it", "facciamo 8 e un quarto", None),
    ("en", "8 I guess", 8),
    ("en", "10. Marco was brilliant!", 10),
    ("en", "Seven", 7),
    ("en", "It would be a 9 if the room was warmer", 9),
    ("en", "0/10", 0),
    ("en", "3 because my call was never returned", 3),
    ("en", "would say 9", 9),
    ("en", "9ish", None),
    ("en", "see you at 10", None),
    ("en", "2 more towels please", None),
    ("en", "10 tomorrow works for me", None),
    ("en", "I need 3 keys", None),
    ("es", "10 sobre 10", 10),
    ("es", "Pues un 8, estuvo bien", 8),
    ("es", "le pondría un 9", 9),
    ("es", "cinco, la espera fue larga", 5),
    ("es", "Un 3. Nadie me llamó", 3),
    ("es", "a las 9 y media", None),
    ("es", "somos 6", None),
    ("es", "3 noches en agosto", None),
    ("pt", "9, muito simpáticos", 9),
    ("pt", "acho que 8", 8),
    ("pt", "Zero!! péssimo atendimento", 0),
    ("pt", "oito e meio", 8),
    ("pt", "às 10 dá?", None),
    ("pt", "2 noites, por favor", None),
    ("pt", "10 pessoas no sábado", None),
    ("pt", "sou o número 4 na lista", None),
    ("it", "Bravi tutti, vi meritate 10", 10),
    ("it", "il mio voto è 8", 8),
    ("it", "8+", 8),
    ("it", "quattro, e sono buono", 4),
    ("it", "10 stelle", None),
    ("it", "Un 7 pieno", 7),
    ("it", "assolutamente dieci", 10),
    ("it", "9 grazie a Giulia", 9),
    ("it", "1. Servizio vergognoso", 1),
    ("it", "5 perché non rispondete mai al telefono", 5),
    ("it", "9 dicembre è libero?", None),
    ("it", "porto 2 amiche", None),
    ("it", "sono le 8 e non siete aperti", None),
    ("en", "A 10 from me", 10),
    ("en", "6. Parking is a nightmare", 6),
    ("en", "four", 4),
    ("en", "Ten, you guys rock", 10),
    ("en", "definitely a 10!!", 10),
    ("en", "Not sure, maybe 7", 7),
    ("en", "my kid is 9", None),
    ("en", "room 9", None),
    ("en", "2 nights", None),
    ("en", "10% discount?", None),
    ("en", "9 to 5 every day?", None),
    ("es", "9, me encantó", 9),
    ("es", "os pongo un 7", 7),
    ("es", "Un cero", 0),
    ("es", "10! Volveré seguro", 10),
    ("es", "6, el sitio es algo ruidoso", 6),
    ("es", "nueve de diez", 9),
    ("es", "a partir de las 8", None),
    ("es", "9 horas", None),
    ("es", "dos", 2),
    ("pt", "Oito", 8),
    ("pt", "10 com certeza", 10),
    ("pt", "7, o preço é um pouco alto", 7),
    ("pt", "5. Ninguém atendeu", 5),
    ("pt", "uns 9", 9),
    ("pt", "dia 10 de manhã", None),
    ("pt", "3 vezes por semana", None),
]


@pytest.mark.parametrize(("language", "text", "score", "comment"), ANSWERS)
def test_an_answer_is_read(language: str, text: str, score: int, comment: str) -> None:
    assert read(text, language) == Answer(score, comment)


@pytest.mark.parametrize(("language", "text", "score"), LATER)
def test_sentences_written_afterwards_are_read(language: str, text: str, score: int | None) -> None:
    found = read(text, language)
    assert (None if found is None else found.score) == score


@pytest.mark.parametrize(("language", "text"), OTHERS)
def test_what_is_no_answer_is_not_taken_for_one(language: str, text: str) -> None:
    assert read(text, language) is None


@pytest.mark.parametrize(
    ("text", "language", "score"),
    [
        ("9 su 10. A proposito, domani siete aperti?", "it", 9),
        ("10 out of 10! Can I book the same again?", "en", 10),
        ("8 sobre 10, ¿a qué hora abrís mañana?", "es", 8),
    ],
)
def test_a_score_with_a_question_is_both(text: str, language: str, score: int) -> None:
    assert read(text, language) == Answer(score, asks=True)


@pytest.mark.parametrize(
    ("text", "displeased"),
    [
        ("Voglio fare un reclamo", True),
        ("This is unacceptable", True),
        ("quiero mi dinero, es una vergüenza", True),
        ("que vergonha, nunca mais", True),
        ("Grazie, è andato tutto bene", False),
        ("What time do you open?", False),
        ("¿Cuánto cuesta?", False),
        ("Obrigada, até amanhã", False),
    ],
)
def test_who_is_displeased_is_heard(text: str, displeased: bool) -> None:
    assert complains(text) == displeased


@pytest.mark.parametrize(
    ("language", "said", "score"),
    [
        ("it", "scusa, volevo dire 1", 1),
        ("it", "No anzi, 9!", 9),
        ("it", "ops ho sbagliato, era un 10", None),  # "era" may be anything
        ("it", "mi scusi, intendevo 8 e non 3", 8),
        ("it", "9", None),
        ("it", "no, 9 grazie", None),
        ("it", "scusa, 2 persone", None),
        ("it", "scusi, alle 3?", None),
        ("it", "anzi, vorrei prenotare per 2", None),
        ("en", "Sorry, I meant 2", 2),
        ("en", "sorry I meant 1, not 10", 1),
        ("en", "oops! I meant to say nine", 9),
        ("en", "sorry, 5 minutes late", None),
        ("en", "actually 2 please", None),
        ("es", "Perdón, quise decir 7", 7),
        ("es", "me he equivocado: un 8", 8),
        ("es", "perdona, a las 8", None),
        ("pt", "Desculpe, queria dizer 1", 1),
        ("pt", "Enganei-me, 10", 10),
        ("pt", "desculpa, 2 pessoas", None),
    ],
)
def test_a_correction_is_a_score_behind_words_that_say_so(
    language: str, said: str, score: int | None
) -> None:
    found = corrected(said, language)
    assert (None if found is None else found.score) == score


def test_a_correction_may_ask_for_something_besides() -> None:
    assert corrected("scusate, volevo dire 2, a che ora aprite domani?", "it") == Answer(2, asks=True)
    assert corrected("sorry, I meant 3. Are you open tomorrow?", "en") == Answer(3, asks=True)
    assert corrected("perdón, quise decir 4, quisiera reservar", "es") == Answer(4, asks=True)
    for said in ("scusate, volevo dire 2 persone, avete posto?", "scusate, alle 2, avete posto?"):
        assert corrected(said, "it") is None
    assert corrected("scusate, 2, avete posto?", "it") is None
