"""What is encrypted before it reaches the database: a customer's voice, addresses and secrets of others."""

from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from crm.errors import RecordError


class NotOurSeal(RecordError):
    """It was encrypted with a key that SARA_AUDIO_KEY (recordings) or SARA_SECRET_KEY (addresses and secrets)
    no longer names: put that key back there."""


class Seal:
    """Encrypts with the first key and opens with any: a new key goes in front, the old ones stay behind it.

    Keys are Fernet keys, 32 bytes in base64 (AES-128-CBC and HMAC-SHA256). Raises ValueError for any other.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        known = [Fernet(key) for key in keys]
        self._first, self._fernet = known[0], MultiFernet(known)

    def close(self, content: bytes) -> bytes:
        """The content encrypted; takes about 5 ms a MB."""
        return self._fernet.encrypt(content)

    def open(self, sealed: bytes) -> bytes:
        """The content. Raises NotOurSeal when no key fits or a bit was changed."""
        try:
            return self._fernet.decrypt(sealed)
        except InvalidToken as error:
            raise NotOurSeal(NotOurSeal.__doc__) from error

    def renewed(self, sealed: bytes) -> bytes | None:
        """The same content under the first key; None where it is already. Raises NotOurSeal."""
        try:
            self._first.decrypt(sealed)
        except InvalidToken:
            pass
        else:
            return None
        try:
            return self._fernet.rotate(sealed)
        except InvalidToken as error:
            raise NotOurSeal(NotOurSeal.__doc__) from error


def new_key() -> str:
    """A fresh key."""
    return Fernet.generate_key().decode()
