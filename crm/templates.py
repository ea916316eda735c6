"""The approved templates of a business for when the 24 hours are over."""

from dataclasses import dataclass

from crm.record import Tx

WRITE_AGAIN = "write_again"


@dataclass(frozen=True)
class TemplateRow:
    """A template at Meta: its name, our language and the language's code as Meta writes it."""

    name: str
    language: str
    code: str


async def for_agents(tx: Tx, language: str | None) -> list[TemplateRow]:
    """Those that ask the customer to write again, the customer's language first."""
    return await tx.all(TemplateRow, "templates_for", purpose=WRITE_AGAIN, language=language)
