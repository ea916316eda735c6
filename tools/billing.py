"""Who an invoice is made out to, read from the customer's words: a checked tax number, an address."""

import re
from collections.abc import Mapping
from typing import Any

from crm import tax_ids
from crm.fiscal import BuyerRow

_LONGEST = 200
_POSTCODE = r"(?P<postal>\d{5}|\d{4}-\d{3}|[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2})"
_ADDRESS = re.compile(
    rf"^(?P<street>.{{4,120}}?)[,;\n]\s*(?:(?P<country>[A-Z]{{2}})-)?{_POSTCODE}[,\s]+"
    r"(?P<city>[^\d,;()\n]{2,60}?)(?:\s*[,(]\s*(?P<province>[A-Z]{2})\)?)?(?:[,;]\s*[^\d]{2,40})?[.\s]*$",
    re.DOTALL,
)
_PROVINCE = re.compile(r"^(?P<city>.{2,60}?)\s+(?P<province>[A-Z]{2})$")
_COUNTRY_OF = ((re.compile(r"\d{5}"), None), (re.compile(r"\d{4}-\d{3}"), "PT"), (re.compile(r"[A-Z]"), "GB"))


def tax_id_in(text: str) -> dict[str, str | None] | None:
    """A checked number as plain JSON: country, vat_number, tax_code."""
    found = tax_ids.in_text(text)
    if found is None:
        return None
    return {"country": found.country, "vat_number": found.vat_number, "tax_code": found.tax_code}


def address_in(text: str, country: str) -> dict[str, str | None] | None:
    """ "Via Roma 1, 20121 Milano (MI)" as plain JSON: street, postal_code, city, province, country.

    `country` is where the business is: five digits alone are taken for a postcode of it. None for anything
    without street, postcode and town.
    """
    found = _ADDRESS.match(text.strip()[:_LONGEST])
    if found is None:
        return None
    city, province = found["city"].strip(), found["province"]
    split = None if province else _PROVINCE.match(city)
    if split:
        city, province = split["city"], split["province"]
    postal = found["postal"]
    home = next((code for shape, code in _COUNTRY_OF if shape.match(postal)), None)
    street = " ".join(found["street"].split()).strip(" ,;")
    return {
        "street": street,
        "postal_code": postal,
        "city": city,
        "province": province,
        "country": found["country"] or home or country,
    }


def buyer_of(
    name: str, country: str, tax_id: Mapping[str, Any] | None, address: Mapping[str, Any] | None
) -> BuyerRow:
    """Who pays, of what was told; where they are is where they say they live."""
    number, place = tax_id or {}, address or {}
    return BuyerRow(
        name=name[:80],
        vat_number=number.get("vat_number"),
        tax_code=number.get("tax_code"),
        street=place.get("street"),
        postal_code=place.get("postal_code"),
        city=place.get("city"),
        province=place.get("province"),
        country=place.get("country") or number.get("country") or country,
    )
