"""A business's own account at Meta: the account its number belongs to, and its token, encrypted."""

from dataclasses import dataclass

from crm.record import Tx


@dataclass(frozen=True)
class AccountRow:
    """A number, its account's id where it is known, and whether it has a token of its own."""

    phone_number_id: str
    display_phone: str | None
    waba_id: str | None
    own_token: bool


async def token(tx: Tx, phone_number_id: str) -> bytes | None:
    """The number's own token, sealed; None where the installation's is used."""
    sealed: bytes | None = await tx.value("account_token", phone_number_id=phone_number_id)
    return sealed


async def listed(tx: Tx) -> list[AccountRow]:
    """The business's numbers."""
    return await tx.all(AccountRow, "accounts")


async def set_token(tx: Tx, business_id: int, phone_number_id: str, sealed: bytes | None) -> bool:
    """Gives a number a token of its own, or takes it away; False when the business has no such number.

    As owner only."""
    done = await tx.run(
        "account_token_set", business=business_id, phone_number_id=phone_number_id, sealed=sealed
    )
    return done > 0


async def set_waba(tx: Tx, business_id: int, phone_number_id: str, waba_id: str) -> None:
    """Notes which account a number belongs to. As owner only."""
    await tx.run("account_waba_set", business=business_id, phone_number_id=phone_number_id, waba_id=waba_id)
