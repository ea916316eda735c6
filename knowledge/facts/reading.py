"""From a document to the services, prices and opening hours its tables state."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

from knowledge.facts.fact import Facts, HoursFact, ServiceFact, Unread
from knowledge.facts.header import mended
from knowledge.facts.hours import hours_of, is_week
from knowledge.facts.money import without_tax
from knowledge.facts.prices import Offer, offers_of, services_of
from knowledge.facts.table import tables_of
from knowledge.readers.document import PATH_JOINT, Document, Section
from knowledge.validity import Validity, validity_of, validity_of_sections

_WITHOUT_TAX = "the document says that its prices are without tax: the record holds prices with tax"


@dataclass(frozen=True)
class Stated:
    """What a document states, and why it is not in force on the day asked about ("" when it is)."""

    facts: Facts
    not_in_force: str


def read_facts(document: Document, *, currency: str, on: date, valid: Validity | None = None) -> Stated:
    """The facts of a document for a business that counts in `currency` (ISO code), on a local day.

    A document out of force states nothing; a section out of force is left out and listed as unread. `valid`
    are the days the team gave the document, whatever it says itself.
    """
    if reason := _not_in_force(validity_of(document) if valid is None else valid, on):
        return Stated(Facts(), reason)
    found = list(_read(document, currency, on))
    offers = [part for part in found if isinstance(part, Offer)]
    unread = [part for part in found if isinstance(part, Unread)]
    if any(without_tax(text) for text in _prose(document)):
        unread += [Unread(offer.row, _WITHOUT_TAX) for offer in offers]
        offers = []
    services: tuple[ServiceFact, ...] = tuple(services_of(offers))
    hours = tuple(part for part in found if isinstance(part, HoursFact))
    return Stated(Facts(services, hours, _by_row(unread)), "")


def spoken_in(facts: Facts, language: str) -> Facts:
    """The facts with `language` where the document does not say in which it is."""
    return replace(
        facts,
        services=tuple(replace(fact, language=fact.language or language) for fact in facts.services),
        hours=tuple(replace(fact, language=fact.language or language) for fact in facts.hours),
    )


def _read(document: Document, currency: str, on: date) -> Iterator[Offer | HoursFact | Unread]:
    told: set[Section] = set()
    whole = validity_of(document)
    # A day that a section shares with the document is the document's, which may have been given another.
    own = (days.beside(whole) for days in validity_of_sections(document))
    days = dict(zip(document.sections, own, strict=True))
    for section, written in tables_of(document):
        table = mended(written, currency)
        if reason := _not_in_force(days[section], on):
            if section not in told:
                yield Unread(PATH_JOINT.join(section.path) or document.title, reason)
            told.add(section)
        elif is_week(table):
            yield from hours_of(table, document.title)
        else:
            yield from offers_of(table, currency)


def _by_row(unread: list[Unread]) -> tuple[Unread, ...]:
    """One entry for a row, with everything that is not certain about it."""
    reasons: dict[str, dict[str, None]] = {}
    for entry in unread:
        reasons.setdefault(entry.row, {})[entry.reason] = None
    return tuple(Unread(row, "; ".join(why)) for row, why in reasons.items())


def _not_in_force(validity: Validity, on: date) -> str:
    if validity.ends and validity.ends < on:
        return f"valid until {validity.ends}"
    if validity.starts and validity.starts > on:
        return f"valid from {validity.starts}"
    return ""


def _prose(document: Document) -> Iterator[str]:
    for section in document.sections:
        yield from (block.text for block in section.blocks if block.kind != "row" or not block.cells)
