"""From when to when a document or a part of it holds, as people write it.

A price list says "valid until 31 August 2027" in words, in whatever language it is in; office documents have
no better place for it. Only sentences that speak of the text itself are believed ("this offer ends on ..."),
not those about something else with an end ("the voucher is valid until ...").
"""

import re
from dataclasses import dataclass
from datetime import date
from functools import reduce
from itertools import chain, dropwhile, islice, takewhile

from knowledge.readers.amount import AMOUNT
from knowledge.readers.document import Block, Document, Section
from knowledge.written_days import days_in, folded

# The statement stands in the first blocks of a document or in its last one when it is about all of it.
_OPENING_BLOCKS = 3
_MOST_CHARS = 600  # of a block: a date far into a long text is about a detail


@dataclass(frozen=True)
class Validity:
    """First and last day on which it holds, both inclusive; None on a side that is not limited."""

    starts: date | None = None
    ends: date | None = None

    def within(self, other: "Validity") -> "Validity":
        """The days on which both hold."""
        starts = max((day for day in (self.starts, other.starts) if day), default=None)
        ends = min((day for day in (self.ends, other.ends) if day), default=None)
        return Validity(starts, ends)

    def beside(self, whole: "Validity") -> "Validity":
        """A part's days as far as they are its own: those it shares with the whole are the whole's."""
        return Validity(
            None if self.starts == whole.starts else self.starts,
            None if self.ends == whole.ends else self.ends,
        )


ALWAYS = Validity()


def validity_of(document: Document) -> Validity:
    """The days a whole document holds: by its description, else by its words, else by a year in its title."""
    described = Validity(document.metadata.valid_from, document.metadata.valid_until)
    if described != ALWAYS:
        return described
    return _stated_for_all(document) or _year_of(document) or ALWAYS


def validity_of_section(section: Section) -> Validity:
    """The days one section holds by its own words and the headings above; ALWAYS where they say nothing."""
    about = section.path[-1] if section.path else ""
    valid = next((found for block in section.blocks if (found := _stated_in(block, about))), ALWAYS)
    for heading in section.path:
        valid = valid.within(stated(heading, heading) or ALWAYS)
    return valid


def validity_of_sections(document: Document) -> tuple[Validity, ...]:
    """The days each section holds, in their order: its own, as far as what stands right under the headings
    above it does not end before ("Summer offer", "valid until …", and below it one table for each treatment).
    """
    below: dict[tuple[str, ...], Validity] = {}
    for section in document.sections:
        if section.path:
            below[section.path] = below.get(section.path, ALWAYS).within(_said_of_parts(section))
    return tuple(
        reduce(
            Validity.within,
            (below.get(section.path[:depth], ALWAYS) for depth in range(1, len(section.path))),
            validity_of_section(section),
        )
        for section in document.sections
    )


def stated(text: str, about: str = "", *, of_all: bool = False) -> Validity | None:
    """What a text under the heading `about` says of its own validity; None when it says nothing of that.
    `of_all`: it stands under a heading of its own and must say that it speaks of the whole ("this list is
    valid until …"); an offer that ends there is a part.

    A first day hides only an offer and its prices until then. Of a programme or a notice ("closed from 3 to
    23 August") it is only known when it is over: before, customers must hear of it.
    """
    heading = folded(about)
    for sentence in _SENTENCE.split(folded(text[:_MOST_CHARS])):
        if _ABOUT_OTHERS.search(sentence):
            continue
        # "Closed from 10 to 23 August" below a price list is no word about the prices.
        below_offer = _OFFER.search(heading) and not _ABOUT_HOURS.search(sentence)
        is_offer = bool(_OFFER.search(sentence) or below_offer)
        # "Summer promotion: valid until …" among the conditions of a list is about the promotion.
        is_of_an_offer = _PROMOTION.search(sentence) and not (
            _PROMOTION.search(heading) or _PRICES_HOLD.search(sentence)
        )
        if of_all and (is_of_an_offer or not (_SAYS_VALID.search(sentence) or _PRICES_HOLD.search(sentence))):
            continue
        if is_offer or _SAYS_VALID.search(sentence) or _NOTICE.search(heading):
            days = days_in(sentence)
            found = Validity(*days) if days else None
            if found and (is_offer or found.ends):
                return found if is_offer else Validity(None, found.ends)
    return None


def _stated_in(block: Block, about: str, *, of_all: bool = False) -> Validity | None:
    """What a block says as `stated` does. Of a table's rows only one that is a label and its day speaks of
    more than itself: "Valid until | 31/08", but not "Massage | 50 € | until 31/08"."""
    values = [value for _, value in block.cells if value.strip()]
    if len(values) > 2 or AMOUNT.search(" ".join(values)):
        return None
    if len(values) < 2:
        return stated(block.text, about, of_all=of_all)
    label = folded(values[0])
    is_label = (
        _SAYS_VALID.search(label) or _PRICES_HOLD.search(label) or (_PRICES.match(label) and " " not in label)
    )
    return stated(" ".join(values), about, of_all=True) if is_label else None


def _said_of_parts(section: Section) -> Validity:
    """What a section says that holds for those below it too. Where no heading of it is an offer, it must say
    so first of all, and as a word about more than the offer of which the sentence is."""
    about = section.path[-1]
    is_offer = any(_PROMOTION.search(folded(heading)) for heading in section.path)
    for block in section.blocks:
        found = _stated_in(block, about)
        if found and (is_offer or found == _stated_in(block, about, of_all=True)):
            return found
    return ALWAYS


def _stated_for_all(document: Document) -> Validity | None:
    if not document.sections:
        return stated(document.title, document.title)
    return (
        stated(document.title, document.title)
        or _stated_above(document)
        or _stated_first(document)
        or _stated_last(document)
    )


def _stated_above(document: Document) -> Validity | None:
    """What the headings over the beginning say of the whole."""
    under = _beginning(document)
    if under is None or _is_part(under, document):
        return None
    said = (stated(heading, heading, of_all=True) for heading in under.path)
    return next((found for found in said if found), None)


def _beginning(document: Document) -> Section | None:
    """The first section; after captions alone, the one whose heading is over everything else (a table file's
    second caption)."""
    under = list(dropwhile(_is_caption, document.sections)) or document.sections
    is_over_all = all(section.path[:1] == under[0].path[:1] for section in under)
    return under[0] if len(under) == len(document.sections) or is_over_all else None


def _is_caption(section: Section) -> bool:
    return not section.path and all(block.kind == "text" for block in section.blocks)


def _is_part(section: Section, document: Document) -> bool:
    """Whether what it says of itself is not about the rest: it is an offer beside other things, or one list
    of several (a sheet for the summer, one for the winter). In doubt it is one."""
    is_leaflet = _is_one_offer(document, section)
    if depth := _offer_depth(section):
        return not is_leaflet and any(
            other.path[:depth] != section.path[:depth] for other in document.sections
        )
    level = _over_all(document)
    if own := _own_heading(section, level):
        others = [o for o in document.sections if o.path[: level + 1] != section.path[: level + 1]]
        return _names_a_part(own, is_leaflet=is_leaflet) or not (
            _SAID_OF_ALL.search(own) or _holds_for(others, section, document, is_leaflet=is_leaflet)
        )
    # The only heading, with other things above it.
    is_named = bool(section.path) and _names_a_part(folded(section.path[-1]), is_leaflet=is_leaflet)
    return is_named and any(not (other.path or _is_caption(other)) for other in document.sections)


def _holds_for(others: list[Section], section: Section, document: Document, *, is_leaflet: bool) -> bool:
    """Whether a section under a heading of its own that says nothing about this speaks of the others too."""
    own = section.path[_over_all(document)]
    is_dated = not is_leaflet and stated(own, own)
    if is_dated or ({*map(_of_itself, others)} - {_of_itself(section), None}):
        return False
    if is_leaflet or any(_THE_LIST.search(folded(block.text)) for block in section.blocks):
        return True
    # The very first words are the document's, beside its summer prices only those of the other prices.
    opens = section is document.sections[0] and any(_stated_in(b, document.title) for b in section.blocks[:1])
    level = _over_all(document)
    return opens and not any(_OF_A_PART.search(_own_heading(other, level)) for other in others)


def _over_all(document: Document) -> int:
    """How many headings every section that has a heading is under."""
    paths = [section.path for section in document.sections if section.path]
    return sum(1 for _ in takewhile(lambda level: len({*level}) == 1, zip(*paths, strict=False)))


def _names_a_part(heading: str, *, is_leaflet: bool) -> bool:
    """Whether a folded heading names a season, hours and the like, or one offer's conditions in a list."""
    is_of_an_offer = _PROMOTION.search(heading) and not (is_leaflet or _PRICES.search(heading))
    return bool(is_of_an_offer or _OF_A_PART.search(heading))


def _is_one_offer(document: Document, section: Section) -> bool:
    """Whether the document is by its title an offer's own leaflet, and nothing beside the section another."""
    title = folded(document.title)
    if not _PROMOTION.search(title) or _PRICES.search(title) or _SEVERAL.search(title):
        return False
    return not any(_offer_depth(other) for other in document.sections if other.path[:1] != section.path[:1])


def _own_heading(section: Section, level: int) -> str:
    return folded(section.path[level]) if len(section.path) > level else ""


def _offer_depth(section: Section) -> int:
    """How deep the first heading is that names an offer and not a price list; 0 where none does."""
    for depth, heading in enumerate(map(folded, section.path), start=1):
        if _PROMOTION.search(heading) and not (_PRICES.search(heading) or _TERMS.search(heading)):
            return depth
    return 0


def _of_itself(section: Section) -> Validity | None:
    """What a section that is no offer says of more than the offer of which the sentence is."""
    if _offer_depth(section):
        return None
    headings = (stated(heading, heading, of_all=True) for heading in section.path)
    blocks = (_stated_in(block, "", of_all=True) for block in section.blocks)
    return next((found for found in chain(headings, blocks) if found), None)


def _stated_first(document: Document) -> Validity | None:
    first = document.sections[0]
    if _is_part(first, document):
        return None
    # Under a heading over everything, which many pages have beside their title, it needs no such words.
    is_beside = any(other.path[: len(first.path)] != first.path for other in document.sections)
    of_all = is_beside and not _is_one_offer(document, first)
    said = (_stated_in(block, document.title, of_all=of_all) for block in first.blocks)
    return next((found for found in islice(said, _OPENING_BLOCKS) if found), None)


def _stated_last(document: Document) -> Validity | None:
    last = next((section for section in reversed(document.sections) if section.blocks), None)
    if last is None or _is_part(last, document):
        return None
    of_all = bool(last.path) and not _is_one_offer(document, last)
    return _stated_in(last.blocks[-1], document.title, of_all=of_all)


def _year_of(document: Document) -> Validity | None:
    """A price list named after a year ("Tarifas 2025") ends with it."""
    title = folded(document.title)
    years = [int(year) for year in re.findall(r"\b(20\d\d)\b", title)]
    # "2025-26", in a file's name "2025_26", which is its title with a space.
    for first, second in re.findall(r"\b20(\d\d)(?:\s?[-/–]\s?|\s)(\d\d)\b", title):
        if int(second) == int(first) + 1:
            years.append(2000 + int(second))
    return Validity(None, date(max(years), 12, 31)) if years and _PRICE_LIST.search(title) else None


_SENTENCE = re.compile(r"(?<=[.!?;])\s+(?=\D)|\n+| \| ")
_PRICE_LIST = re.compile(
    r"\blistin|\bprezz|\btariff|\bprice|\brates?\b|\bfees?\b|\btarifa|\bprecio|\bprecario|\btabela|\bpreco"
    r"|\bpromo|\boffert|\boffer\b|\boferta|\bcampan|\bcampanh|\bsaldi\b"
)
# A sentence that speaks of when the text around it holds.
_SAYS_VALID = re.compile(
    r"^\W*(?:periodo di )?(?:valid|vigen|vigor)|^\W*(?:in|em|en) (?:vigore?|force)\b|^\W*effective\b"
    r"|^\W*(?:scad|expir|caduca|ends\b)|\b(?:quest\w*|present\w*|this|est[aeo]s?)\b.{0,40}\bvalid"
    r"|\b(?:validita|validity|validez|validade)\b"
)
_PROMOTION = re.compile(
    r"\bpromo|\bofferta\b|\bofferte\b|\boffers?\b|\bofertas?\b|\bcampagna\b|\bcampan[ah]|\bcampaign"
    r"|\bsconti?\b|\bdiscount|\bdescuento|\bdesconto|\bsaldi\b|\brebajas\b|\bsaldos\b"
)
_SEVERAL = re.compile(r"\bofferte\b|\boffers\b|\bofertas\b|\bpromo[a-z]*(?:ioni|ions|iones|coes)\b")
_PRICES = re.compile(
    r"\blistin|\btariff[ae]\b|\bprice list|\bprices\b|\brates\b|\bprezzi\b|\bprecios\b|\bprecos\b"
    r"|\btarifas?\b|\btabela\b|\bprecario\b|\bfees\b"
)
# What is said below it holds for the offer as a whole, whatever parts that has.
_TERMS = re.compile(
    r"\bvalidita\b|\bvalidity\b|\bvalidez\b|\bvalidade\b|\bcondizion|\bconditions\b|\bcondicion|\bcondic(?:ao|oes)\b"
    r"|\btermini\b|\bterms\b|\bterminos\b|\btermos\b|\bregolament|\breglament|\bregulament"
)
_SAID_OF_ALL = re.compile(
    rf"{_TERMS.pattern}|\bnot[ae]\b|\bnotes\b|\binfo|\bnotas\b|\bavvertenz|\bobservac|\bvalid\w* *$"
    r"|\bdurata\b|\bduration\b|\bduracion\b|\bduracao\b|\bperiod"
)
_THE_LIST = re.compile(
    r"\blistin[oi]\b|\bprice list|\btarifario|\bprecario\b|\btabela de prec"
    r"|\b(?:quest|present|these|est[ae]s)\w* (?:prezzi|tariffe|prices|rates|fees|precios|tarifas|precos)\b"
)
# A season, opening hours, something out of the ordinary: what a heading of one part among others names.
_OF_A_PART = re.compile(
    r"\bestiv|\binvern|\bestate\b|\bautunn|\bprimaver|\bstagion|\bsummer|\bwinter|\bautumn|\bspring\b"
    r"|\bseason|\bverano\b|\bverao\b|\binvierno|\botono\b|\boutono\b|\btemporad|\bepoca\b|\bnatal|\bchristmas"
    r"|\bnavid|\bpasqua|\beaster\b|\bpascua|\bpascoa|\bpacchett|\bpackage|\bpaquete|\bpacote|\bnovita|\bnews\b"
    r"|\bnovedad|\bnovidade|\bspecial|\bespecia[li]|\borari[oe]?\b|\bhours\b|\bhorario|\bchius|\bclos(?:ed|ing|ure)\b"
)
# An offer or its prices.
_OFFER = re.compile(f"{_PROMOTION.pattern}|{_PRICES.pattern}")
# Prices, and that they hold: "i prezzi sono validi fino al", "tarifas vigentes hasta".
_PRICES_HOLD = re.compile(
    r"(?:\blistin|\btariff|\bprezz|\bprice|\brates\b|\bfees\b|\bprecio|\btarifa|\bpreco|\btabela|\bprecario)"
    r".{0,60}?(?:\bvalid|\bvigor|\bvigen|\bvale|\bvalgono|\bapply|\bapplies|\beffective|\bin force|\bhold"
    r"|\bscad|\bexpir|\bcaduc)"
)
_ABOUT_HOURS = re.compile(
    r"\bchius|\bclos(?:e|ed|es|ing|ure)\b|\bcierr|\bcerrad|\bfech(?:a|am|ad)|\bencerr|\borari[oe]?\b|\bhours\b"
    r"|\bhorario|\bvacan|\bvacac|\bferias\b|\bholidays\b|\bferie\b"
)
_NOTICE = re.compile(r"\bavvis|\bnotice|\baviso|\bannouncement|\bcomunica")
# Things with an end of their own, which says nothing about the text.
_ABOUT_OTHERS = re.compile(
    r"\bbuon[oi]\b|\bvouchers?\b|\bgift|\bcarnet\b|\bcarta regalo|\btarjetas? regalo|\bcheques?[ -]"
    r"|\bvale[s-]|\bbono\b|\bpass(?:e|es)?\b|\babbonament|\bmembership|\btesser|\bcertificat"
    r"|\bdocument[oi]\b.{0,20}scad|\bpreventiv|\bquote|\bpresupuesto|\borcamento|\bcontratt|\bcontrat|\biscri[tz]"
    r"|\bregistration|\bprenota\w* entro"
    r"|\bbook(?:ed|ing)? by|\breserv\w+ (?:antes|hasta|ate)|\bconsegn|\bconclus|\bamortiz"
)
