"""Dates, weekdays and hours of four languages as comparable values.

Each reader yields (kind, readings, (start, end)) over folded text: dates "MM-DD" or "YYYY-MM-DD", months
"MM", weekdays "0" (Monday) to "6", hours "HH:MM" on the 24-hour clock.
"""

import re
from collections.abc import Iterator

from inference.grounding_lengths import Reading

_MONTHS = (
    "gennaio|january|enero|janeiro",
    "febbraio|february|febrero|fevereiro",
    "marzo|march|marco",
    "aprile|april|abril",
    "maggio|may|mayo|maio",
    "giugno|june|junio|junho",
    "luglio|july|julio|julho",
    "agosto|august",
    "settembre|september|septiembre|setiembre|setembro",
    "ottobre|october|octubre|outubro",
    "novembre|november|noviembre|novembro",
    "dicembre|december|diciembre|dezembro",
)
MONTH_OF = {name: i + 1 for i, names in enumerate(_MONTHS) for name in names.split("|")}
_MONTH = "(" + "|".join(MONTH_OF) + ")"
_YEAR = r"(?:,?\s*(?:del?\s+)?((?:19|20)\d\d)\b)?"
_ISO = re.compile(r"\b(20\d\d)-(\d\d)-(\d\d)\b")
_SLASHED = re.compile(r"(?<![\d.,/])(\d{1,2})[/](\d{1,2})(?:[/](\d{4}|\d\d))?(?![\d/])")
_DOTTED = re.compile(r"(?<![\d.,/])(\d{1,2})[.-](\d{1,2})[.-](\d{4})(?!\d)")
_DAY_MONTH = re.compile(rf"\b(\d{{1,2}})(?:st|nd|rd|th|°|º)?\s*(?:de|di|of|d')?\s*{_MONTH}\b{_YEAR}")
_DAY_RANGE = re.compile(
    rf"\b(\d{{1,2}})(?:st|nd|rd|th|°|º)?\s*(?:-|–|—|/|to|until|and|al|alla?|a|e|y|ao?|ate|"
    rf"hasta)\s*(?:el |o |the |il )?"
    rf"(?=(\d{{1,2}})(?:st|nd|rd|th|°|º)?\s*(?:de|di|of)?\s*{_MONTH}\b{_YEAR})"
)
_MONTH_DAY = re.compile(rf"\b{_MONTH}\s+(\d{{1,2}})(?:st|nd|rd|th)?\b(?![:.,]?\d){_YEAR}")
_MONTH_RANGE = re.compile(
    rf"\b{_MONTH}\s*(?:-|–|—|to|through(?: to)?|until|till|al?|ad|ate|hasta|fino ad?|"
    rf"e si va avanti fino ad?)\s*{_MONTH}\b|\b(?:between|tra|fra|entre)\s+{_MONTH}\s+(?:e|y|"
    rf"and)\s+{_MONTH}\b"
)
# "Dal 20 maggio al 20 settembre" holds the whole of June.
_SEASON = re.compile(
    rf"\b{_MONTH}\s*(?:-|–|—|to|through|until|till|al?|ad|ate|hasta|fino al?)\s*(?:el |o |the |il )?"
    rf"\d{{1,2}}(?:st|nd|rd|th|°|º)?\s*(?:de|di|of)?\s*{_MONTH}\b"
)
_SHORT_MONTH_OF = {name[:3]: number for name, number in MONTH_OF.items()} | {"sept": 9, "sett": 9}
_SHORT_MONTHS = re.compile(
    "\\b(" + "|".join(_SHORT_MONTH_OF) + r")\.?\s?[-–—]\s?(" + "|".join(_SHORT_MONTH_OF) + r")\b(?!\w)"
)
# Days known by a name everywhere in Europe.
_FEASTS = tuple(
    (value, re.compile(rf"\b(?:{names})\b"))
    for value, names in (
        ("01-01", r"new year['’]?s day|capodanno|ano nuevo|ano novo|primo dell['’]anno"),
        ("01-06", r"epifania|epiphany|dia de reyes|dia de reis|befana"),
        ("02-14", r"(?:san|saint|st\.?|sao) valent[ií]n[eo]?(?:['’]?s)?(?: day)?|valentine['’]?s(?: day)?"),
        ("12-25", r"christmas day|(?:il )?giorno di natale|dia de natal|dia de navidad"),
        ("12-26", r"boxing day|santo stefano"),
        ("12-31", r"new year['’]?s eve|nochevieja|san silvestro|vespera de ano novo"),
    )
)
_MONTH_ALONE = re.compile(rf"\b{_MONTH}\b")

_AM_PM = r"(?:\s*(a\.?\s?m\b\.?|p\.?\s?m\b\.?))?"
_PART = (
    r"(?:\s*(?:de la|da|di|del|della|in the|of the|do|de|nel|at)?\s*"
    r"(mattin[ao]|pomeriggio|sera|notte|morning|afternoon|evening|night|manana|tarde|noche|manha|noite)\b)?"
)
_LATE = frozenset({"pomeriggio", "sera", "afternoon", "evening", "night", "tarde", "noche", "noite"})
_TIME = (
    r"(\d{1,2})(?:[:.h](\d{2}))?(?:\s?h(?:s|rs)?\b)?(?![\d%€]|\s+\w+\s+(?:street|road|avenue|lane|square)\b)"
)
_CUE = (
    r"\b(?:alle|dalle|all['’]|dall['’]|ore|verso le|tra le|e le|entro le|dopo le|per le|prima delle|at|"
    r"from|until|till|by|"
    r"between|around|a las|las|la una|"
    r"desde las|hasta las|as|das|ate as|ate|pelas|entre as|fino alle|hora|horas|h\b)\s*(?:ore\s*|as\s*|"
    r"las\s*)?"
)
_CUED = re.compile(rf"{_CUE}{_TIME}{_AM_PM}{_PART}")
# "Las dos piscinas", "from three nights", "dalle otto alle venti persone": a count of what comes next.
_COUNTS_NEXT = re.compile(
    r"^(?:\s+(?!(?:mondays|tuesdays|wednesdays|thursdays|fridays|saturdays|sundays|martes|jueves|viernes|"
    r"lunes|sabados|domingos|oras|horas|ore|sere|tutte|tutti|anche|oppure|poi|invece|quindi|perche|always|"
    r"unless|perhaps|besides|tardes|noches|todos|todas|mais|menos|depois|despues|antes|as|is|us|has|does|"
    r"this|his|its|yes|vamos|es|os|las|los|das|dos|nos|das|pero|quando|come|forse|sempre|mentre|circa|"
    r"precise|spaccate|passate|paginas)\b)"
    r"(?:persone|bambini|partecipanti|giocatori|ospiti|invitati|iscritti|allievi|posti|stanze|camere|sedute|"
    r"lezioni|uscite|volte|notti|giorni|settimane|mesi|anni|kg|chili|metri|people|children|[a-z]{4,}s)\b|"
    r"\s+(?:of the|de (?:las|los)|delle|degli|dei|das|dos)\s|\s+(?:metres?|metri|metros?|years?|months?)\b|"
    r"\s*(?:m|kg|db|cm|km|°)\b)"
)
_AGES_BEFORE = re.compile(
    r"\b(?:children|kids|ages?d?|bambin\w+|ragazz\w+|nin[oa]s|crianc\w+|eta|edad(?:es)?|idade)\s+"
    r"(?:de|dos|dai|from|between|tra|entre|i)?\s*$"
)
_COLON = re.compile(rf"(?<![\d.,:])(\d{{1,2}})[:h](\d{{2}})(?:\s?h\b)?(?!\d){_AM_PM}{_PART}")
_MARKED = re.compile(r"(?<![\d.,:])(\d{1,2})(?:[.:](\d\d))?\s*(a\.?\s?m\b\.?|p\.?\s?m\b\.?|o'?clock)()")
_DAYPART = re.compile(
    r"(?<![\d.,:])(\d{1,2})()()\s*(?:de la|da|di|del|della|in the|do|at)\s*"
    r"(mattin[ao]|pomeriggio|sera|notte|morning|afternoon|evening|night|manana|tarde|noche|manha|noite)\b"
)
_FLAT = re.compile(r"(?<![\d.,:\w])([6-9]|1\d|2[0-4])()\s?h(?:s|rs)?\b()()")
_RANGE = re.compile(
    rf"(?<![\d.,:/])(\d{{1,2}})(?:[:.h](\d{{2}}))?h?{_AM_PM}\s*(?:-|–|—|/|\ba\b|\bto\b|"
    rf"\balle\b|\bas\b|\bate\b|"
    rf"\ba las\b|\bhasta las\b|\buntil\b|\btill\b|\band\b|\be le\b|\by las\b|\by\b)\s*"
    rf"(\d{{1,2}})(?:[:.h](\d{{2}}))?h?(?![\d%€/]){_AM_PM}{_PART}"
)
_RANGE_CUE = re.compile(
    r"\b(?:dalle|from|das|desde las|de|tra le|between|entre)\s*$|[:¦]\s*$|\b(?:orari\w*|"
    r"apert\w*|open|hours?|abiert\w*|"
    r"abert\w*|horari\w*|lun|mar|mer|gio|ven|sab|dom|mon|tue|wed|thu|fri|sat|sun|mie|jue|"
    r"vie|seg|ter|qua|qui|sex|"
    r"lunedi|martedi|mercoledi|giovedi|venerdi|sabato|domenica|monday|friday|saturday|"
    r"sunday|lunes|viernes|sabado|"
    r"sabados|domingo|domingos|segunda|sexta|feira|e|y|and|i)\b[\s.:,(¦/|]*$"
)
# What a price list never says and a timetable does: days, parts of the day, beginnings and ends.
_TIMETABLE = re.compile(
    r"\b(?:lun\w*|mar|marted\w*|mer|mercoled\w*|gio|gioved\w*|ven|venerd\w*|sab\w*|dom|domen\w*|"
    r"mondays?|tuesdays?|wednesdays?|thursdays?|fridays?|saturdays?|sundays?|mon|tue|wed|thu|fri|sat|sun|"
    r"martes|mie|miercoles|jue|jueves|vie|viernes|domingos?|segundas?|tercas?|quartas?|quintas?|sextas?|"
    r"feiras?|daily|every day|ogni giorno|tutti i giorni|todos los dias|todos os dias|diari\w+|weekdays|"
    r"festiv\w+|feriad\w+|holidays?|orari\w*|horari\w*|hours|open\w*|apert\w*|abiert\w*|abert\w*|"
    r"entry|entrada|ingress\w+|turn[oi]s?|mattin\w+|manana\w*|tardes?|manha|pomerigg\w+|ser[ae]|"
    r"morning|afternoon|evening|inizi\w+|starts?|ore|check-?in|check-?out|pranzo|cena|lunch|dinner)\b"
    r"[^;€$£%]{0,44}$"
)
_CLOCK_DOT = re.compile(
    r"(?<![\d.,:€$£×x/-])([01]?\d|2[0-4])\.([0-5][05])()()(?!\d|[.,]\d|\s*(?:[€$£%°]|eur|pound|reais|kg|"
    r"k?m\b|cm|ml|l\b|gr?\b|mila|mil\b|thousand|x\b|×|ann|year|person|¦|-\s*\d+\s*(?:€|eur)))"
)
_BARE_RANGE = re.compile(
    r"(?<![\d.,:/€$£-])(\d{1,2})\s*[-–—]\s*(\d{1,2})(?![\d.,:]*\d|\s*(?:[€$£%°/]|eur|pound|reais|ann|anos|"
    r"year|min|person|pessoa|people|day|giorn|dia|week|settiman|seman|or[ae]\b|hour|horas\b|mes|month|"
    r"kg|k?m\b|cm|ml|bambin|child|nin|crianc|player|giocator|jugador|jogador|partecip|guest|ospit))"
)
_NAMED = {
    "12:00": r"mezzogiorno|noon|midday|mediodia|meio[ -]dia",
    "00:00": r"mezzanotte|midnight|medianoche|meia[ -]noite",
}
_NAMED_RE = {value: re.compile(rf"\b(?:{names})\b") for value, names in _NAMED.items()}

_DAYS = (
    "lunedi|monday|mondays|lunes|segunda[ -]feiras?|segundas[ -]feiras",
    "martedi|tuesday|tuesdays|martes|terca[ -]feiras?|tercas[ -]feiras",
    "mercoledi|wednesday|wednesdays|miercoles|quarta[ -]feiras?|quartas[ -]feiras",
    "giovedi|thursday|thursdays|jueves|quinta[ -]feiras?|quintas[ -]feiras",
    "venerdi|friday|fridays|viernes|sexta[ -]feiras?|sextas[ -]feiras",
    "sabato|sabati|saturday|saturdays|sabados?",
    "domenica|domeniche|sunday|sundays|domingos?",
)
_SHORT = (
    "lun|mon|seg",
    "mar|tues?|ter",
    "mer|mie|weds?|qua",
    "gio|jue|thu|thurs?|qui",
    "ven|vie|fri|sex",
    "sab|sat",
    "dom|sun",
)
_BARE_PT = ("segundas?", "tercas?", "quartas?", "quintas?", "sextas?")
_DAY_RE = [re.compile(rf"\b(?:{names})\b") for names in _DAYS]
_SHORT_RE = [
    re.compile(
        rf"\b(?:{n})\b\.?(?=\s*[-–—/:,|¦&)]|\s+\d|\s+(?:a|al|to|and|e|y|closed|chius\w+|cerrad\w+|"
        rf"fechad\w+)\b)"
    )
    for n in _SHORT
]
_SHORT_END = [
    re.compile(rf"(?:(?<=[-–—/])|(?<=[-–—/] )|(?<=\bal )|(?<=\bto )|(?<=\ba )|(?<=\band )|(?<=& ))(?:{n})\b")
    for n in _SHORT
]
_PT_RE = [
    re.compile(
        rf"\b(?:{name})\b(?=\s*(?:$|[.,;:!?)/¦|–-]|(?:as|a|e|ou|ate|das|de|do|em|que|pela|nao|\w+mos)\b|\d))"
    )
    for name in _BARE_PT
]
_TO = re.compile(r"^\s*(?:-|–|—|a|al|alla|to|till|until|through|ate|hasta el|hasta)\s*(?:a|o|el)?\s*$")
_GROUPS = (
    (re.compile(r"\b(?:week-?ends?|fine settimana|fin de semana|fim de semana)\b"), (5, 6)),
    (
        re.compile(
            r"\b(?:7 giorni su 7|(?:seven|7) days a week|7 dias (?:a la|por|da) semana|los 7 dias|"
            r"(?:aulas|clases|lezioni|corsi|sali\w+) diari[ae]s?|tutti i giorni|ogni giorno|every day|"
            r"daily|todos los dias|cada dia|todos os dias)\b"
        ),
        tuple(range(7)),
    ),
    (
        re.compile(
            r"\b(?:(?:giorn[io] |mattin[ae] |ser[ae] )?feriali?|infrasettimanal\w+|weekdays?|"
            r"dias laborables|entre semana|dias uteis|durante a semana)\b"
        ),
        tuple(range(5)),
    ),
)


_COUNTED_DAYS = re.compile(
    r"(?:(?<![\d:.,h–/-])(?<!\balle )(?<!\bto )(?<!\bas )(?<!\ba )\b\d{1,2}|\b(?:algun[oa]s|poc[oh]i|"
    r"pocos|few|uns|unos|qualche))\s*$"
)


def _seasons(text: str) -> Iterator[tuple[tuple[int, int], int]]:
    """The months of each stretch of the year: "from March to May", "oct-mar", "20 maggio - 20 settembre"."""
    for pattern, months in ((_MONTH_RANGE, MONTH_OF), (_SEASON, MONTH_OF), (_SHORT_MONTHS, _SHORT_MONTH_OF)):
        for m in pattern.finditer(text):
            first, last = (months[name] for name in m.groups() if name)
            last += 12 if last < first else 0
            inside = range(first, last + 1) if pattern is not _SEASON else range(first + 1, last)
            yield from ((m.span(), (month - 1) % 12 + 1) for month in inside)


def date_facts(text: str, language: str | None) -> Iterator[Reading]:
    """Calendar dates, and months named alone."""
    used: list[tuple[int, int]] = []

    def date(span: tuple[int, int], day: str, month: int, year: str | None) -> Iterator[Reading]:
        if 1 <= int(day) <= 31 and 1 <= month <= 12 and not any(s < span[1] and span[0] < e for s, e in used):
            used.append(span)
            short = f"{month:02d}-{int(day):02d}"
            full = f"{'20' if year and len(year) == 2 else ''}{year}-{short}" if year else short
            yield "date", frozenset({full}), span

    for m in _ISO.finditer(text):
        yield from date(m.span(), m[3], int(m[2]), m[1])
    for pattern in (_SLASHED, _DOTTED):
        for m in pattern.finditer(text):
            yield from date(m.span(), m[1], int(m[2]), m[3])
    for m in _DAY_RANGE.finditer(text):
        yield from date(m.span(1), m[1], MONTH_OF[m[3]], m[4])
    for m in _DAY_MONTH.finditer(text):
        yield from date(m.span(), m[1], MONTH_OF[m[2]], m[3])
    for m in _MONTH_DAY.finditer(text):
        yield from date(m.span(), m[2], MONTH_OF[m[1]], m[3])
    for span, month in _seasons(text):
        if _MONTH_RANGE.fullmatch(text, *span):
            used.append(span)
        yield "date", frozenset({f"{month:02d}"}), span
    feasts = [(m.span(), value) for value, pattern in _FEASTS for m in pattern.finditer(text)]
    yield from (
        ("date", frozenset({value}), (start, end))
        for (start, end), value in feasts
        if not any(s < end and start < e for s, e in used)
    )
    for m in _MONTH_ALONE.finditer(text):
        # English "may" and "march" are verbs more often than months.
        verb = m[1] in ("may", "march") and not re.search(
            r"\b(?:in|of|until|from|during|and|to|till|through)\s$", text[: m.start()]
        )
        if not verb and not any(s <= m.start() < e for s, e in used):
            yield "date", frozenset({f"{MONTH_OF[m[1]]:02d}"}), m.span()


def _clock(hour: int, minute: int, marker: str | None, part: str | None, exact: bool) -> frozenset[str]:
    """The readings of an hour: one when marked or on a 24-hour clock, else morning and afternoon."""
    mark = (marker or "").replace(".", "").replace(" ", "")
    if mark == "pm" or (part in _LATE and hour < 12):
        hours = [hour % 12 + 12]
    elif mark == "am" or part is not None:
        hours = [hour % 12 if mark == "am" else hour]
    elif exact or hour > 12 or hour == 0:
        hours = [hour]
    else:
        hours = [hour, (hour + 12) % 24]
    return frozenset(f"{h % 24:02d}:{minute:02d}" for h in hours)


def hour_facts(text: str, language: str | None) -> Iterator[Reading]:
    """Hours of the day. Where a text uses hours from 13 on, its unmarked hours are on the 24-hour clock."""
    exact = bool(re.search(r"(?<![\d.,:])(?:1[3-9]|2[0-3])(?:[:.h]\d\d|h\b)", text))
    used: list[tuple[int, int]] = []

    def free(span: tuple[int, int]) -> bool:
        return not any(s < span[1] and span[0] < e for s, e in used)

    def read(
        span: tuple[int, int], h: str, m: str, mark: str | None, part: str | None, sure24: bool = False
    ) -> Iterator[Reading]:
        if int(h) <= 24 and int(m or 0) < 60:
            yield "hour", _clock(int(h), int(m or 0), mark, part, exact or sure24), span

    for value, pattern in _NAMED_RE.items():
        for match in pattern.finditer(text):
            used.append(match.span())
            yield "hour", frozenset({value}), match.span()
    for match in _RANGE.finditer(text):
        sure = match[2] or match[5] or match[3] or match[6] or match[7]
        dotted = "." in match.group() and int(match[4]) > 24
        counted = not sure and (
            _COUNTS_NEXT.match(text[match.end() :]) or _AGES_BEFORE.search(text[: match.start()][-30:])
        )
        if counted:
            used.append(match.span())  # neither end of "dalle otto alle venti persone" is an hour
        if (
            free(match.span())
            and not dotted
            and not counted
            and (sure or _RANGE_CUE.search(text[: match.start()][-40:]))
        ):
            used.append(match.span())
            ends = match.span()
            yield from read(ends, match[1], match[2], match[3], None, int(match[4]) > 12)
            yield from read(ends, match[4], match[5], match[6], match[7])
    for match in _BARE_RANGE.finditer(text):
        opens, closes = int(match[1]), int(match[2])
        cued = 5 <= opens < closes <= 24 and _TIMETABLE.search(text[: match.start()][-60:])
        if cued and free(match.span()):
            used.append(match.span())
            yield from read(match.span(), match[1], "", None, None, closes > 12)
            yield from read(match.span(), match[2], "", None, None)
    for match in _CLOCK_DOT.finditer(text):
        if free(match.span()) and _TIMETABLE.search(text[: match.start()][-60:]):
            used.append(match.span())
            yield from read(match.span(), match[1], match[2], None, None)
    for pattern in (_CUED, _COLON, _MARKED, _DAYPART, _FLAT):
        for match in pattern.finditer(text):
            counts = not any(match.group(2, 3, 4)) and _COUNTS_NEXT.match(text[match.end() :])
            if free(match.span()) and not counts:
                used.append(match.span())
                yield from read(match.span(), match[1], match[2], match[3], match[4])


def weekday_facts(text: str, language: str | None) -> Iterator[Reading]:
    """Days of the week; a range ("lun-ven", "from Monday to Friday") yields every day in it."""
    found: list[tuple[int, int, int]] = []
    tables = [_DAY_RE, _SHORT_RE, _SHORT_END, *([_PT_RE] if language in (None, "pt") else [])]
    for table in tables:
        for day, pattern in enumerate(table):
            for m in pattern.finditer(text):
                if not any(s < m.end() and m.start() < e for s, e, _ in found):
                    found.append((m.start(), m.end(), day))
    found = _alone(sorted(found), text)
    for (start, end, day), after in zip(found, [*found[1:], None], strict=False):
        yield "weekday", frozenset({str(day)}), (start, end)
        if after is not None and _TO.match(text[end : after[0]].strip(".") or " "):
            for between in range(day + 1, after[2] if after[2] > day else after[2] + 7):
                yield "weekday", frozenset({str(between % 7)}), (start, after[1])


def _alone(found: list[tuple[int, int, int]], text: str) -> list[tuple[int, int, int]]:
    """Without a short name that is a word of its own ("o mar", "qui:"): days stand together or by an hour."""
    short = [span for span in found if span[1] - span[0] <= 3]
    if len(found) > len(short) or len(short) > 1:
        return found
    return [span for span in found if re.match(r"\.?:?\s*[\d¦]", text[span[1] :])]


def weekday_groups(text: str, language: str | None) -> Iterator[Reading]:
    """Days named together: "weekends", "every day", "7 giorni su 7"."""
    for pattern, days in _GROUPS:
        for m in pattern.finditer(text):
            if _COUNTED_DAYS.search(text[: m.start()][-16:]):
                continue  # "two working days": how long, not which
            yield from (("weekday", frozenset({str(d)}), m.span()) for d in days)
