"""The date grammar: a customer's expressions in four languages, the traps, and the properties that"
" always hold."""

import json
import time as clock
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from inference.when import BadWhenRow, When, parse, when_row
from inference.when_holidays import easter, find_national
from inference.when_lexer import fold

ROME = ZoneInfo("Europe/Rome")
WEDNESDAY = datetime(2026, 11, 18, 10, 0, tzinfo=ROME)
ROWS = Path(__file__).parent / "data" / "when_rows.jsonl"


def read(text: str, language: str = "it", now: datetime = WEDNESDAY, **given_: object) -> When:
    """`text` read on a Wednesday morning in Rome unless said otherwise."""
    return parse(text, language=language, now=now, **given_)  # type: ignore[arg-type]


def rows() -> list[dict[str, str | None]]:
    return [json.loads(line) for line in ROWS.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("language", ["it", "en", "es", "pt"])
def test_customers_expressions(language: str) -> None:
    own = [row for row in rows() if row["language"] == language]
    assert len(own) >= 60
    answers = [when_row(row, now=WEDNESDAY, time_zone="Europe/Rome")["value"] for row in own]
    missed = [row | {"got": got} for row, got in zip(own, answers, strict=True) if got != row["expected"]]
    wrong = [row for row in missed if row["got"] is not None]
    assert len(missed) <= 0.05 * len(own), missed
    assert len(wrong) <= 0.02 * len(own), wrong


def test_a_range_has_start_and_end() -> None:
    when = read("venerdì tra le 3 e le 5")
    assert when.value == "2026-11-20T15:00:00"
    assert when.start == datetime(2026, 11, 20, 15, tzinfo=ROME)
    assert when.end == datetime(2026, 11, 20, 17, tzinfo=ROME)
    assert when.span == "venerdì tra le 3 e le 5"


@pytest.mark.parametrize(
    ("text", "language", "value"),
    [
        ("il quarto sabato del mese prossimo alle 10", "it", "2026-12-26T10:00:00"),
        ("el cuarto sábado del próximo mes a las 11", "es", "2026-12-26T11:00:00"),
        ("no quarto sábado do próximo mês às 10", "pt", "2026-12-26T10:00:00"),
        ("alle tre e un quarto sabato", "it", "2026-11-28T15:15:00"),
        ("a las cuatro menos cuarto sábado", "es", "2026-11-28T15:45:00"),
    ],
)
def test_a_fourth_is_a_day_before_a_weekday_and_a_quarter_after_an_hour(
    text: str, language: str, value: str
) -> None:
    assert read(text, language, datetime(2026, 11, 26, 10, tzinfo=ROME)).value == value


@pytest.mark.parametrize(
    ("text", "language", "value"),
    [
        ("Quiero cambiar mi cita del jueves al viernes a las diez de la mañana", "es",
         "2026-11-20T10:00:00"),
        ("el viernes a las 10 de la mañana", "es", "2026-11-20T10:00:00"),
        ("el sábado a primera hora de la mañana", "es", "2026-11-21~morning"),
        ("el sábado a última hora de la mañana", "es", "2026-11-21~morning"),
        ("el viernes a media mañana", "es", "2026-11-20~morning"),
        ("el jueves a la mañana", "es", "2026-11-19~morning"),
        ("para la mañana del viernes", "es", "2026-11-20~morning"),
        ("mañana a las 8 de la mañana", "es", "2026-11-19T08:00:00"),
        ("pasado mañana a las 9 de la mañana", "es", "2026-11-20T09:00:00"),
        ("el lunes entre las 9 y las 11 de la mañana", "es", "2026-11-23T09:00:00"),
        ("para mañana por la mañana a las 9", "es", "2026-11-19T09:00:00"),
        ("la cita de mañana", "es", "2026-11-19~day"),
        ("mañana de 9 a 11 de la mañana", "es", "2026-11-19T09:00:00"),
        ("quero mudar de quinta para sexta às dez da manhã", "pt", "2026-11-20T10:00:00"),
        ("amanhã às 8 da manhã", "pt", "2026-11-19T08:00:00"),
        ("amanhã de manhã às 8", "pt", "2026-11-19T08:00:00"),
        ("vorrei spostare da giovedì a venerdì alle dieci di mattina", "it", "2026-11-20T10:00:00"),
        ("domani alle 8 di mattina", "it", "2026-11-19T08:00:00"),
        ("domattina alle 8", "it", "2026-11-19T08:00:00"),
    ],
)  # fmt: skip
def test_in_the_morning_is_an_hour_of_the_day_that_was_named(text: str, language: str, value: str) -> None:
    """Also where the business opens at noon, so that nothing but the words speaks for the morning."""
    for hours in ({}, {"opens": time(12), "closes": time(23, 30)}):
        when = read(text, language, **hours)
        assert (when.value, when.candidates) == (value, ()), when


def test_the_hour_is_read_inside_opening_hours() -> None:
    assert read("alle 8 di sabato", opens=time(12), closes=time(23)).value == "2026-11-21T20:00:00"
    assert read("alle 8 di sabato", opens=time(8), closes=time(20)).value == "2026-11-21T08:00:00"
    both = read("alle 8 di sabato", opens=time(7), closes=time(22))
    assert both.candidates == ("2026-11-21T08:00:00", "2026-11-21T20:00:00")


def test_before_and_after_leave_an_open_side() -> None:
    after = read("domani dopo le 17")
    assert (after.start, after.end) == (
        datetime(2026, 11, 19, 17, tzinfo=ROME),
        datetime(2026, 11, 19, 20, tzinfo=ROME),
    )
    before = read("domani prima delle 10")
    assert before.value == "2026-11-19~morning"
    assert before.end == datetime(2026, 11, 19, 10, tzinfo=ROME)


@pytest.mark.parametrize(
    ("text", "language", "start", "end"),
    [
        ("oggi dopo le 3", "it", 15, 20), ("today after 3", "en", 15, 20),
        ("hoy después de las 15", "es", 15, 20), ("hoje depois das 15h", "pt", 15, 20),
        ("oggi tra le 15 e le 18", "it", 15, 18),
        ("today between 3 and 6", "en", 15, 18), ("oggi dalle 9 alle 18", "it", 9, 18),
        ("hoy entre las 3 y las 6", "es", 15, 18), ("hoje das 15h às 18h", "pt", 15, 18),
        ("oggi prima delle 18", "it", 8, 18), ("today before 6", "en", 8, 18),
    ],
)  # fmt: skip
def test_of_a_span_that_has_begun_the_rest_can_be_had(text: str, language: str, start: int, end: int) -> None:
    four = WEDNESDAY.replace(hour=16)
    when = read(text, language, four)
    assert (when.problem, when.start, when.end) == (None, four.replace(hour=start), four.replace(hour=end))
    over = WEDNESDAY.replace(hour=21)
    assert read(text, language, over).problem == "past"
    assert read(text, language, four - timedelta(hours=7)).value == when.value  # as before it began


def test_after_an_hour_that_is_past_is_the_evening_only_where_that_is_open() -> None:
    noon = WEDNESDAY.replace(hour=12)
    assert read("oggi dopo le 11", now=noon).value == "2026-11-18T11:00:00"
    assert read("oggi dopo le 8", now=noon, closes=time(23)).value == "2026-11-18T20:00:00"


@pytest.mark.parametrize(
    ("text", "language", "problem"),
    [
        ("31 febbraio", "it", "impossible_date"), ("30/02/2027 alle 10", "it", "impossible_date"),
        ("november 31st", "en", "impossible_date"), ("domani alle 25", "it", "impossible_time"),
        ("15:75", "es", "impossible_time"), ("ieri alle 10", "it", "past"),
        ("stamattina alle 9", "it", "past"),
        ("20/10/2026", "pt", "past"), ("hoy a las 09:00", "es", "past"), ("domani alle 10", "it", None),
    ],
)  # fmt: skip
def test_problems_are_named(text: str, language: str, problem: str | None) -> None:
    when = read(text, language)
    assert when.problem == problem
    assert (when.value is None) == (problem is not None)


@pytest.mark.parametrize(
    ("text", "language", "candidates"),
    [
        ("sabato o domenica", "it", ("2026-11-21~day", "2026-11-22~day")),
        ("il weekend", "it", ("2026-11-21~day", "2026-11-22~day")),
        ("lunedì alle 10 o martedì alle 16", "it", ("2026-11-23T10:00:00", "2026-11-24T16:00:00")),
        ("10am or 4pm tomorrow", "en", ("2026-11-19T10:00:00", "2026-11-19T16:00:00")),
        ("giovedì 20 novembre", "it", ("2026-11-20~day", "2026-11-19~day")),
        ("di pomeriggio", "it", ("2026-11-18~afternoon", "2026-11-19~afternoon")),
        ("3/12", "en", ("2026-12-03~day", "2027-03-12~day")),
    ],
)  # fmt: skip
def test_ambiguous_words_give_candidates_and_no_value(
    text: str, language: str, candidates: tuple[str, ...]
) -> None:
    when = read(text, language)
    assert when.value is None
    assert when.candidates == candidates


def test_next_friday_names_both_readings() -> None:
    english, italian = read("next friday", "en"), read("venerdì prossimo", "it")
    assert (english.value, italian.value) == ("2026-11-27~day", "2026-11-20~day")
    assert set(english.candidates) == set(italian.candidates) == {"2026-11-20~day", "2026-11-27~day"}


def test_the_country_orders_numeric_dates_and_knows_its_holidays() -> None:
    assert read("3/12", "en", country="GB").value == "2026-12-03~day"
    assert read("3/12", "en", country="US").value == "2027-03-12~day"
    assert read("Martin Luther King day", "en", country="US").value == "2027-01-18~day"
    assert read("festa della Repubblica", "it", country="IT").value == "2027-06-02~day"
    assert read("dia de portugal", "pt", country="PT").value == "2027-06-10~day"
    assert find_national("christmas day", "XX", 2026) is None


def test_easter_of_known_years() -> None:
    assert [easter(year).isoformat()[5:] for year in (2024, 2025, 2026, 2027, 2038)] == [
        "03-31", "04-20", "04-05", "03-28", "04-25",
    ]  # fmt: skip


def test_an_hour_the_clock_skips_moves_forward_and_elapsed_time_is_real() -> None:
    eve = datetime(2026, 3, 28, 12, tzinfo=ROME)
    skipped = read("domani alle 2:30 di notte", now=eve)
    assert (skipped.value, skipped.problem) == ("2026-03-29T03:30:00", None)
    night = datetime(2026, 10, 25, 1, 30, tzinfo=ROME)
    two_hours = read("tra due ore", now=night)
    assert two_hours.start is not None
    assert two_hours.start.astimezone(UTC) - night.astimezone(UTC) == timedelta(hours=2)
    assert two_hours.value == "2026-10-25T02:30:00"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("un massaggio da 50 minuti per 2 persone a 60 euro", "it"), ("via Roma 12, secondo piano", "it"),
        ("il mio numero è +39 333 111 2222", "it"), ("chiamami al 3331112222", "it"),
        ("anna3@example.com", "it"),
        ("https://example.com/2026/11/20", "en"), ("24/7", "en"),
        ("I may come, I sat there in the sun", "en"),
        ("siamo in 2/3 persone", "it"), ("tra 2/3 giorni", "it"), ("fra 2/3 ore", "it"),
        ("un tavolo da 4/5 persone", "it"), ("somos 4/5 personas", "es"), ("a table for 4/5 people", "en"),
        ("sono Domenico", "it"), ("Luca De Domenici", "it"), ("vorrei venire da Gennaro", "it"),
        ("sou a Ana Reis", "pt"), ("o meu nome é Assunção", "pt"), ("soy Marta Reyes", "es"),
        ("me llamo Asunción", "es"), ("con Reyes, por favor", "es"), ("soy Ana y Reyes es mi madre", "es"),
        ("buonasera", "it"), ("buenas tardes", "es"), ("boa noite", "pt"), ("good morning", "en"),
        ("llego tarde", "es"), ("apartamento com 3 quartos", "pt"), ("€ 20.30", "it"), ("3 stelle", "it"),
        ("", "it"),
    ],
)  # fmt: skip
def test_numbers_that_are_no_dates(text: str, language: str) -> None:
    assert read(text, language) == When()


@pytest.mark.parametrize(
    ("text", "language", "value"),
    [
        ("sono Domenico, vorrei un taglio venerdì alle 15", "it", "2026-11-20T15:00:00"),
        ("domani alle 15 da Gennaro", "it", "2026-11-19T15:00:00"),
        ("domenicca alle 15", "it", "2026-11-22T15:00:00"),
        ("sou a Ana Reis, queria sexta às 15h", "pt", "2026-11-20T15:00:00"),
        ("soy Marta Reyes, el viernes a las 15", "es", "2026-11-20T15:00:00"),
        ("en Reyes a las doce", "es", "2027-01-06T12:00:00"),
        ("Reyes a las doce", "es", "2027-01-06T12:00:00"),
        ("el día de Reyes", "es", "2027-01-06~day"),
        ("no dia dos Reis", "pt", "2027-01-06~day"),
        ("para Reis", "pt", "2027-01-06~day"),
        ("un tavolo per 4/5 persone sabato alle 20:30", "it", "2026-11-21T20:30:00"),
        ("sabato 5/12 persone 4", "it", "2026-12-05~day"),
        ("il 5/12 persone 4", "it", "2026-12-05~day"),
        ("il 5/12, in 4 persone", "it", "2026-12-05~day"),
        ("5/12 ore 20:30", "it", "2026-12-05T20:30:00"),
    ],
)
def test_names_and_counts_are_told_from_days(text: str, language: str, value: str) -> None:
    assert read(text, language).value == value


def test_a_place_open_after_midnight_reads_hours_of_its_evening() -> None:
    night = {"opens": time(18), "closes": time(2)}
    assert read("sabato alle 8", **night).value == "2026-11-21T20:00:00"
    late = read("sabato dopo le 21", **night)
    assert (late.value, late.end) == ("2026-11-21T21:00:00", datetime(2026, 11, 22, 2, tzinfo=ROME))
    assert read("sabato dalle 22 alle 2", **night).end == datetime(2026, 11, 22, 2, tzinfo=ROME)
    evening = datetime(2026, 11, 18, 22, tzinfo=ROME)
    rest = read("oggi dopo le 21", now=evening, **night)
    assert (rest.problem, rest.end) == (None, datetime(2026, 11, 19, 2, tzinfo=ROME))
    assert read("sabato dopo le 15").end == datetime(2026, 11, 21, 20, tzinfo=ROME)


def test_row_keeps_its_fields_and_its_own_present() -> None:
    row = {"text": "domani alle 9", "language": "it", "now": "2026-12-31T22:30:00", "id": 7}
    answer = when_row(row, now=WEDNESDAY, time_zone="Europe/Rome")
    assert answer == row | {"value": "2027-01-01T09:00:00", "candidates": [], "problem": None}
    abroad = when_row(
        {"text": "today", "language": "en", "now": "2026-11-18T23:30:00Z"},
        now=WEDNESDAY,
        time_zone="Europe/Rome",
    )
    assert abroad["value"] == "2026-11-19~day"


@pytest.mark.parametrize(
    ("row", "time_zone"),
    [({}, "Europe/Rome"), ({"text": 3}, "Europe/Rome"), ({"text": "oggi", "now": "soon"}, "Europe/Rome"),
     ({"text": "oggi"}, "Mars/Base"), ({"text": "oggi"}, "../etc/passwd")],
)  # fmt: skip
def test_bad_rows_say_what_is_wrong(row: dict[str, object], time_zone: str) -> None:
    with pytest.raises(BadWhenRow):
        when_row(row, now=WEDNESDAY, time_zone=time_zone)


def test_a_naive_present_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        read("domani", now=datetime(2026, 11, 18, 10, 0))


def test_an_unknown_language_is_read_with_the_vocabulary_that_fits() -> None:
    assert read("mañana por la tarde", "ca").value == "2026-11-19~afternoon"
    assert read("tomorrow at 5pm", "").value == "2026-11-19T17:00:00"


def test_a_message_takes_under_three_milliseconds() -> None:
    sample = [(str(row["text"]), str(row["language"])) for row in rows()]
    for text, language in sample[:5]:
        read(text, language, country="IT")
    spent = []
    for text, language in sample:
        begun = clock.process_time()
        read(text, language, country="IT")
        spent.append(clock.process_time() - begun)
    assert sorted(spent)[len(spent) // 2] < 0.003


def _words() -> list[str]:
    return sorted({word for row in rows() for word in str(row["text"]).split()})


ANY_NOW = st.datetimes(
    timezones=st.sampled_from([ROME, ZoneInfo("Europe/Lisbon"), ZoneInfo("America/New_York"), UTC])
)
DST_NOW = st.builds(
    lambda day, minutes: datetime(2026, *day, tzinfo=ROME) + timedelta(minutes=minutes),
    st.sampled_from([(3, 28), (3, 29), (10, 24), (10, 25)]),
    st.integers(0, 1439),
)
LANGUAGES = st.sampled_from(["it", "en", "es", "pt", "fr"])
SPEECH = st.lists(st.sampled_from(_words()), max_size=8).map(" ".join)


def _holds(when: When) -> None:
    if when.value is not None:
        assert when.problem is None
        assert when.date is not None
        assert when.value.startswith(when.date.isoformat())
    for value in (when.value, *when.candidates):
        if value is not None and "~" not in value:
            datetime.fromisoformat(value)
    if when.start and when.end:
        assert when.start <= when.end


@given(text=st.text(max_size=80), language=LANGUAGES, now=ANY_NOW)
@example(text="domani", language="it", now=datetime(9999, 12, 31, 12, tzinfo=UTC))
@example(text="pasqua alle 3", language="it", now=datetime(1, 1, 1, tzinfo=UTC))
@settings(deadline=None, max_examples=150)
def test_no_text_and_no_present_raise(text: str, language: str, now: datetime) -> None:
    _holds(read(text, language, now))


@given(text=SPEECH, language=LANGUAGES, now=st.one_of(DST_NOW, ANY_NOW))
@settings(deadline=None, max_examples=300)
def test_no_mixture_of_date_words_raises(text: str, language: str, now: datetime) -> None:
    when = read(text, language, now, country="IT")
    _holds(when)
    assert when.span in text.strip() or when.span in text


@given(text=st.text(max_size=60))
def test_folding_keeps_offsets(text: str) -> None:
    assert len(fold(text)) == len(text)


@pytest.mark.parametrize("piece", ["a@", "1 ", "1", "e 3 ", "1.111.", "tra le 3 e le 5 ", "il ", "20/11 "])
def test_a_hostile_message_costs_no_more_than_a_moment(piece: str) -> None:
    begun = clock.process_time()
    _holds(read((piece * 4096)[:4096]))
    assert clock.process_time() - begun < 2


@pytest.mark.parametrize(
    ("text", "language", "day"),
    [
        ("avete qualcosa dopo le 18 ma non venerdì?", "it", None), ("un giorno che non sia venerdì",
        "it", None),
        ("any day but Friday", "en", None), ("anything after 6 that isn't Friday?", "en", None),
        ("cualquier día que no sea el viernes", "es", None), ("¿tenéis algo que no sea el viernes?",
        "es", None),
        ("qualquer dia que não seja sexta", "pt", None),
        ("perché non venerdì?", "it", "2026-11-20"), ("non si può venerdì?", "it", "2026-11-20"),
        ("why not Friday?", "en", "2026-11-20"), ("¿por qué no el viernes?", "es", "2026-11-20"),
        ("não pode ser sexta?", "pt", "2026-11-20"),
    ],
)  # fmt: skip
def test_a_day_left_out_is_not_wanted_also_in_a_question(text: str, language: str, day: str | None) -> None:
    read = parse(text, language=language, now=datetime(2026, 11, 18, 10, tzinfo=ZoneInfo("Europe/Rome")))
    friday = date(2026, 11, 20)
    assert (read.date == friday) is (day is not None), read
