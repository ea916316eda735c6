"""What contradicts what in a business file whose parts are each right."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from stdnum import get_cc_module
from stdnum.it import codicefiscale, iva

from knowledge.strict_yaml import LANGUAGES, Location, Texts

if TYPE_CHECKING:  # that module calls this one
    from knowledge.business_file import BusinessFile


def contradictions(business: BusinessFile) -> Iterator[tuple[Location, str]]:
    """What is wrong between parts that are each right: (where, what to write instead), causes first."""
    checks = (
        _repeated_keys,
        _unknown_references,
        _untranslated,
        _ambiguous_names,
        _impossible_hours,
        _wrong_tax_ids,
        _foreign_zone,
    )
    for check in checks:
        yield from check(business)
    skills = {(skill, resource.location) for resource in business.resources for skill in resource.skills}
    for i, service in enumerate(business.services):
        for place in service.locations:
            if service.bookable and (service.key, place) not in skills:
                reason = f"nobody at {place} has the skill `{service.key}`: add it to a resource there"
                yield ("services", i), f"{reason}, or set `bookable: false`"


def _wrong_tax_ids(business: BusinessFile) -> Iterator[tuple[Location, str]]:
    fiscal = business.fiscal
    if fiscal is None:
        return
    if not _vat_number_is_valid(business.country, fiscal.vat_number):
        yield ("fiscal", "vat_number"), f"not a VAT number of {business.country}: its check digits are wrong"
    if business.country != "IT":
        return
    if fiscal.tax_code and not (codicefiscale.is_valid(fiscal.tax_code) or iva.is_valid(fiscal.tax_code)):
        yield ("fiscal", "tax_code"), "not a codice fiscale: its check digits are wrong"
    if not fiscal.vat_rate and not fiscal.vat_nature:
        yield ("fiscal", "vat_rate"), "without VAT, `vat_nature` has to say why: give its code, such as N4"
    for i, service in enumerate(business.services):
        if service.vat_rate == 0 and not service.vat_nature:
            reason = "without VAT, `vat_nature` has to say why: give its code, such as N4"
            yield ("services", i, "vat_rate"), reason


def _foreign_zone(business: BusinessFile) -> Iterator[tuple[Location, str]]:
    """The business's clock is that of one of its places: what is said and what is shown would differ."""
    zones = list(dict.fromkeys(place.time_zone for place in business.locations))
    if zones and business.time_zone not in zones:
        yield ("time_zone",), f"none of its locations is there: write {' or '.join(zones)}, or correct theirs"


def _vat_number_is_valid(country: str, number: str) -> bool:
    """Whether the check digits are right; a country whose rules are not known is taken at its word."""
    module = get_cc_module(country.lower(), "vat")
    return module is None or bool(module.is_valid(number))


def _repeated_keys(business: BusinessFile) -> Iterator[tuple[Location, str]]:
    groups: dict[str, list[str]] = {
        "languages": list(business.languages),
        "locations": [place.key for place in business.locations],
        "services": [service.key for service in business.services],
        "resources": [resource.key for resource in business.resources],
        "house_rules": [rule.key for rule in business.house_rules],
        "agents": [agent.email.lower() for agent in business.agents],
    }
    for group, keys in groups.items():
        for i in (i for i, key in enumerate(keys) if key in keys[:i]):
            yield (group, i), f"`{keys[i]}` is already used in `{group}`: give each its own"


def _unknown_references(business: BusinessFile) -> Iterator[tuple[Location, str]]:
    places = [place.key for place in business.locations]
    services = [service.key for service in business.services]
    used: list[tuple[Location, str | None, list[str]]] = []
    used += [(("hours", i, "location"), row.location, places) for i, row in enumerate(business.hours)]
    used += [(("closures", i, "location"), row.location, places) for i, row in enumerate(business.closures)]
    for i, service in enumerate(business.services):
        used += [(("services", i, "locations", j), key, places) for j, key in enumerate(service.locations)]
    for i, resource in enumerate(business.resources):
        used.append((("resources", i, "location"), resource.location, places))
        used += [(("resources", i, "skills", j), key, services) for j, key in enumerate(resource.skills)]
    for where, key, known in used:
        if key is not None and key not in known:
            yield where, f"`{key}` is not defined: use one of {', '.join(known)}"


def _untranslated(business: BusinessFile) -> Iterator[tuple[Location, str]]:
    texts: list[tuple[Location, Texts]] = [(("persona",), business.persona)] if business.persona else []
    texts += [(("house_rules", i, "text"), rule.text) for i, rule in enumerate(business.house_rules)]
    texts += [(("closures", i, "reason"), row.reason) for i, row in enumerate(business.closures)]
    for where, text in texts:
        if absent := [language for language in business.languages if language not in text]:
            yield where, f"`{where[-1]}` lacks {', '.join(absent)}: write it in every one of `languages`"


def _ambiguous_names(business: BusinessFile) -> Iterator[tuple[Location, str]]:
    owner: dict[tuple[str, str], str] = {}
    for index, service in enumerate(business.services):
        for language in LANGUAGES:
            for name in (service.names[language], *service.aliases.get(language, ())):
                first = owner.setdefault((language, name.casefold()), service.key)
                if first != service.key:
                    yield ("services", index), f"`{name}` ({language}) also names `{first}`: make it specific"


def _impossible_hours(business: BusinessFile) -> Iterator[tuple[Location, str]]:
    for i, row in enumerate(business.hours):
        for other in business.hours[:i]:
            shared = set(row.days) & set(other.days) if row.location == other.location else set()
            if shared and row.opens < other.closes and other.opens < row.closes:
                yield ("hours", i), f"overlaps earlier hours on {', '.join(sorted(shared))}: merge them"
    for i, resource in enumerate(business.resources):
        home = [row for row in business.hours if row.location == resource.location]
        for j, shift in enumerate(resource.hours or ()):
            around = [row for row in home if row.opens <= shift.opens and shift.closes <= row.closes]
            if shut := [day for day in shift.days if not any(day in row.days for row in around)]:
                reason = f"{resource.location} is not open all this time on {', '.join(shut)}"
                yield ("resources", i, "hours", j), f"{reason}: keep within its `hours`"
