"""What threads remember, encrypted before it reaches the database: for LangGraph's EncryptedSerializer.

AES-256-GCM under the first key; any of the keys opens. The kind of a stored value names its key by the first
eight digits of its SHA-256 (`msgpack+aesgcm-1a2b3c4d`), so that what is under which key can be counted
without opening it. Values that were stored before there was a key stay readable: their kind has no mark.
"""

import base64
import hashlib
import hmac
import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from langgraph.checkpoint.serde.base import CipherProtocol

from db.errors import DatabaseError

SCHEME = "aesgcm-"
_SALT = 16  # bytes
# Each value has a key of its own, made of ours and its salt: random nonces under one key are safe for 2^32
# values only (NIST SP 800-38D, 8.3), which a busy installation writes in weeks.
_NONCE = bytes(12)


class ThreadUnreadable(DatabaseError):
    """A thread was encrypted with a key that SARA_STATE_KEY no longer names: put that key back there."""


class StateCipher(CipherProtocol):
    """Encrypts with the first of `keys`, 32 bytes in base64 each, and opens with any."""

    def __init__(self, keys: Sequence[str]) -> None:
        raw = [base64.urlsafe_b64decode(key) for key in keys]
        self._keys = {SCHEME + hashlib.sha256(key).hexdigest()[:8]: key for key in raw}
        self.newest = next(iter(self._keys))

    @property
    def names(self) -> list[str]:
        """What values under these keys are marked with, the newest first."""
        return list(self._keys)

    def encrypt(self, plaintext: bytes) -> tuple[str, bytes]:
        """The mark of the key, and the content."""
        salt = os.urandom(_SALT)
        return self.newest, salt + self._of(self.newest, salt).encrypt(_NONCE, plaintext, None)

    def decrypt(self, ciphername: str, ciphertext: bytes) -> bytes:
        """The content. Raises ThreadUnreadable when no key fits or a bit was changed."""
        if ciphername not in self._keys:
            raise ThreadUnreadable(ThreadUnreadable.__doc__)
        salt, sealed = ciphertext[:_SALT], ciphertext[_SALT:]
        try:
            return self._of(ciphername, salt).decrypt(_NONCE, sealed, None)
        except InvalidTag as error:
            raise ThreadUnreadable(ThreadUnreadable.__doc__) from error

    def _of(self, name: str, salt: bytes) -> AESGCM:
        return AESGCM(hmac.digest(self._keys[name], salt, "sha256"))


def marked(kind: str) -> str:
    """The mark in a stored value's kind; '' for one that is not encrypted."""
    return kind.partition("+")[2]
