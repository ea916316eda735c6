"""A business's templates as Meta has them, and which of them says what."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from crm.record import Tx
from crm.templates import TemplateRow

APPROVED = "APPROVED"
PURPOSES = ("reminder", "freed_place", "write_again", "follow_up", "quote")
VALUES = {"write_again": 0}
"""How many values SARA fills in where the number is fixed; the rest depends on what is said."""
REPLIES = {"reminder": 2, "freed_place": 2}
"""How many quick replies a purpose's template has at least: to move and to cancel, yes and no."""
_VARIABLE = re.compile(r"\{\{\s*([A-Za-z0-9_]+)\s*\}\}")


@dataclass(frozen=True)
class KnownTemplate:
    """A template of Meta's: name and language are its key.

    `variables` is the number of values its body takes; `plain` says that it takes nothing else (no header
    with a variable or file, no button with a variable), so that SARA can send it. `quick_replies` are the
    titles of those that SARA gives ids to.
    """

    name: str
    code: str
    category: str
    status: str
    quality: str | None
    reason: str | None
    body: str
    variables: int
    plain: bool
    quick_replies: list[str]
    synced_at: datetime | None = None

    @property
    def usable(self) -> bool:
        """Whether SARA can send it now."""
        return self.status == APPROVED and self.plain

    def filled(self, values: Sequence[str]) -> str:
        """What the customer reads: the body with its values."""
        names = list(dict.fromkeys(_VARIABLE.findall(self.body)))
        given = dict(zip(names, values, strict=False))
        return _VARIABLE.sub(lambda found: given.get(found[1], found[0]), self.body)


@dataclass(frozen=True)
class UseRow:
    """Which template says a purpose in a language."""

    purpose: str
    language: str
    name: str
    code: str


@dataclass(frozen=True)
class AccountRow:
    business_id: int
    phone_number_id: str


async def put(tx: Tx, template: KnownTemplate) -> None:
    """Keeps what Meta says of a template."""
    await tx.run(
        "template_put",
        name=template.name,
        code=template.code,
        category=template.category,
        status=template.status,
        quality=template.quality,
        reason=template.reason,
        body=template.body,
        variables=template.variables,
        plain=template.plain,
        quick_replies=template.quick_replies,
    )


async def forget_gone(tx: Tx) -> int:
    """Drops what this transaction's sync did not bring; how many."""
    return await tx.run("templates_gone")


async def known(tx: Tx) -> list[KnownTemplate]:
    """Every template."""
    return await tx.all(KnownTemplate, "templates_known")


async def one(tx: Tx, name: str, code: str) -> KnownTemplate | None:
    """One template; None for one that was never synced."""
    return await tx.first(KnownTemplate, "template_known", name=name, code=code)


async def languages(tx: Tx, name: str) -> list[KnownTemplate]:
    """A template in all its languages."""
    return await tx.all(KnownTemplate, "template_languages", name=name)


async def told(
    tx: Tx,
    name: str,
    code: str | None,
    *,
    status: str | None = None,
    reason: str | None = None,
    quality: str | None = None,
    category: str | None = None,
) -> int:
    """Meta says what became of a template, in one language or in all; how many rows it was."""
    return await tx.run(
        "template_status",
        name=name,
        code=code,
        status=status,
        reason=reason,
        quality=quality,
        category=category,
    )


async def for_purpose(tx: Tx, purpose: str, language: str | None) -> TemplateRow | None:
    """The approved template that says a purpose, in the language or the business's own; None without one.

    A template that was never synced counts as approved: the operator named it.
    """
    return await tx.first(TemplateRow, "template_for_purpose", purpose=purpose, language=language)


async def use(tx: Tx, purpose: str, language: str, name: str, code: str) -> None:
    """From now on that template says the purpose in the language."""
    await tx.run("template_use", purpose=purpose, language=language, name=name, code=code)


async def uses(tx: Tx) -> list[UseRow]:
    """Which template says what."""
    return await tx.all(UseRow, "template_uses")


async def account(tx: Tx) -> str | None:
    """The WhatsApp Business Account of the business's numbers; None when nobody told it."""
    found: str | None = await tx.value("account_of_numbers")
    return found


async def set_account(tx: Tx, waba_id: str) -> None:
    """Remembers the account for the numbers that have none."""
    await tx.run("account_set", waba_id=waba_id)


async def of_account(tx: Tx, *, waba_id: str | None = None, digits: str | None = None) -> list[AccountRow]:
    """The businesses and numbers an account's webhook speaks of; by the number where it names one."""
    return await tx.all(AccountRow, "account_businesses", waba_id=waba_id, digits=digits)
