"""Public emergency numbers by country."""

# 112 is the emergency number in every EU member state and reaches ambulance, fire and police:
# Directive (EU) 2018/1972, article 109. National numbers for the rest are the countries' own.
_EU = frozenset(
    {"AT", "BE", "BG", "HR", "CY", "CZ", "DK", "EE", "FI", "FR", "DE", "GR", "HU", "IE"}
) | frozenset({"IT", "LV", "LT", "LU", "MT", "NL", "PL", "PT", "RO", "SK", "SI", "ES", "SE"})
_OTHERS = {
    # Three numbers for three services: Portaria 1.864/2003 (192), Lei 9.472/1997 and Anatel Ato 43.151/2004
    # (190, 193). Whoever calls one for another is passed on late, so all are named.
    "BR": "190 (polícia), 192 (SAMU), 193 (bombeiros)",
    "CH": "112",  # ComCom emergency numbers, SR 784.101.1
    "GB": "999",  # Ofcom General Conditions, also 112
    "US": "911",  # Wireless Communications and Public Safety Act of 1999
    "MX": "911",  # IFT, national emergency number since 2017
    "AR": "911",
}


def emergency_number(country: str) -> str:
    """What to call in `country` (ISO 3166 alpha-2): a number, or several, each with its service; 112, which
    GSM phones route anywhere, where nothing else is known."""
    code = country.upper()
    return "112" if code in _EU else _OTHERS.get(code, "112")
