"""Weekdays and hours of four languages as comparable values.

Each reader yields (kind, readings, (start, end)) over folded text: weekdays "0" (Monday) to "6", hours
"HH:MM" on the 24-hour clock.
"""

import re
from collections.abc import Iterator

from inference.grounding_lengths import Reading

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
    r"between|around|a las|las|la una|la(?=\s+1\b)|"
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
# "Il cappotto e le due camicie" has no hour, "tra l'una e le due" has two.
_FIRST_OF_TWO = re.compile(r"\b(?:(?:tra|fra|alle|dalle|verso|ore)\b|d?all['’])[^.;!?]{0,30}$")
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
    "12:00": r"mezzogiorno|noon|midday|(?<!del )mediodia|meio[ -]dia",
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
# Looked for first: most sentences name no day, and each of the patterns above costs as much as this one.
_SOME_DAY = re.compile(
    r"\b(?:lun|mon|seg|mar|tue|ter|mer|mie|wed|qua|gio|jue|thu|qui|ven|vie|fri|sex|sab|sat|dom|sun)"
)
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
            bare = not any(match.group(2, 3, 4))
            counts = bare and (
                _COUNTS_NEXT.match(text[match.end() :])
                or (match.group().startswith("e le") and not _FIRST_OF_TWO.search(text[: match.start()]))
            )
            if free(match.span()) and not counts:
                used.append(match.span())
                yield from read(match.span(), match[1], match[2], match[3], match[4])


def weekday_facts(text: str, language: str | None) -> Iterator[Reading]:
    """Days of the week; a range ("lun-ven", "from Monday to Friday") yields every day in it."""
    if not _SOME_DAY.search(text):
        return
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
