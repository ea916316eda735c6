"""What only greets or thanks, and states nothing."""

import re

_GREETS = re.compile(
    r"\W*(?:welcome(?: back)?|hello|hi|hey|good (?:morning|afternoon|evening)|ciao|salve|"
    r"buon(?:giorno|asera)|"
    r"ben(?:tornat|venut)[oa]|hola|buen[oa]s (?:dias|tardes|noches)|bienvenid[oa](?: de nuevo)?|ola|oi|"
    r"bo[ma] (?:dia|tarde|noite)|bem-vind[oa](?: de volta)?|thanks|thank you|grazie|gracias|obrigad[oa])"
    r"(?:[ ,]+[a-z'-]+){0,2}\W*"
)


def greets(folded: str) -> bool:
    """Whether a folded sentence only greets or thanks, perhaps by a name: rules look at names elsewhere."""
    return bool(_GREETS.fullmatch(folded))
