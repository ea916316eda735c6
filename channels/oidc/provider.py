"""A company's own OpenID provider: where it sends people, and who it says they are.

Authorization code flow with PKCE: https://openid.net/specs/openid-connect-core-1_0.html#CodeFlowAuth, RFC
7636, RFC 9207. Its addresses and keys come from its discovery document and are asked for again after a while,
or when a token names a key that is not known. Authlib is imported at the first login: most installations have
none.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from channels.oidc.errors import EmailUnverified, IdentityRefused, ProviderRefused, ProviderUnreachable

if TYPE_CHECKING:
    from joserfc.jwk import KeySet
    from joserfc.jwt import Token

SCOPE = "openid email"
# Only what a key of the provider's own signs: with the others a client, or nobody, could sign as well.
ALGORITHMS = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"}
)
_WHOLE_S = 10.0
_FRESH_S = 3600.0
_KEYS_ANEW_S = 30.0  # a token with a made-up key must not make us ask each time
_LEEWAY_S = 60  # clocks disagree
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Flow:
    """What a login is known by: `state` comes back in the address, `nonce` in the token."""

    state: str
    nonce: str
    verifier: str

    @classmethod
    def new(cls) -> Flow:
        """One that nobody can guess."""
        return cls(secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(48))


@dataclass
class _Known:
    metadata: dict[str, Any]
    keys: KeySet
    at: float
    keys_at: float


class Provider:
    """One provider, at which SARA is `client_id`; `name` is what the login page calls it."""

    def __init__(
        self,
        *,
        issuer: str,
        client_id: str,
        client_secret: str = "",
        name: str = "",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._issuer, self._client_id, self._client_secret = issuer, client_id, client_secret
        self.name = name or urlsplit(issuer).hostname or issuer
        self._clock = clock
        self._known: _Known | None = None
        self._lock = asyncio.Lock()

    async def address(self, flow: Flow, back: str) -> str:
        """Where a person is sent to log in, to come `back`. Raises ProviderUnreachable."""
        known = await self._discovered()
        async with self._client(known.metadata, back) as client:
            address, _ = client.create_authorization_url(
                known.metadata["authorization_endpoint"],
                state=flow.state,
                code_verifier=flow.verifier,
                nonce=flow.nonce,
            )
        return str(address)

    async def email_of(self, answer: Mapping[str, str], flow: Flow, back: str) -> str:
        """The verified e-mail address of whom the provider let in, out of what came back in the address.

        Raises ProviderRefused, IdentityRefused, EmailUnverified, ProviderUnreachable.
        """
        if not hmac.compare_digest(answer.get("state", "").encode(), flow.state.encode()):
            raise IdentityRefused("the answer belongs to another login")
        if answer.get("iss", self._issuer) != self._issuer:
            raise IdentityRefused("the answer comes from another provider")
        if "error" in answer or not answer.get("code"):
            raise ProviderRefused(ProviderRefused.__doc__)
        known = await self._discovered()
        async with self._client(known.metadata, back) as client:
            with _told_apart():
                token = await client.fetch_token(
                    known.metadata["token_endpoint"],
                    grant_type="authorization_code",
                    code=answer["code"],
                    redirect_uri=back,
                    code_verifier=flow.verifier,
                )
            claims = await self._claims(
                str(token.get("id_token", "")), str(token.get("access_token", "")), flow
            )
            if "email" not in claims and known.metadata.get("userinfo_endpoint"):
                claims = await self._more(client, known.metadata["userinfo_endpoint"], claims["sub"])
        email, verified = claims.get("email"), claims.get("email_verified")
        if not isinstance(email, str) or not email or not (verified is True or verified == "true"):
            raise EmailUnverified(EmailUnverified.__doc__)
        return email

    async def _claims(self, text: str, access_token: str, flow: Flow) -> dict[str, Any]:
        """What an ID token says, once everything about it holds. Raises IdentityRefused."""
        from authlib.oidc.core import CodeIDToken  # type: ignore[import-untyped]
        from joserfc.errors import JoseError

        try:
            read = await self._signed(text)
            claims = CodeIDToken(
                read.claims,
                read.header,
                {
                    "iss": {"essential": True, "value": self._issuer},
                    "aud": {"essential": True, "value": self._client_id},
                },
                {"nonce": flow.nonce, "client_id": self._client_id, "access_token": access_token},
            )
            claims.validate(now=int(self._clock()), leeway=_LEEWAY_S)
        except (JoseError, ValueError, TypeError) as error:
            raise IdentityRefused(f"the provider's token does not hold: {error}") from error
        return dict(claims)

    async def _signed(self, text: str) -> Token:
        """A token whose signature is the provider's; keys are fetched anew for one that is not known."""
        from joserfc import jwt
        from joserfc.errors import InvalidKeyIdError

        known = await self._discovered()
        offered = known.metadata.get("id_token_signing_alg_values_supported") or ["RS256"]
        allowed = sorted(ALGORITHMS & set(offered))
        if not allowed:
            raise ValueError(f"the provider signs with {', '.join(map(str, offered))} only")
        try:
            return jwt.decode(text, known.keys, algorithms=allowed)
        except InvalidKeyIdError:
            if self._clock() - known.keys_at < _KEYS_ANEW_S:
                raise
            self._known = None
            return jwt.decode(text, (await self._discovered()).keys, algorithms=allowed)

    async def _more(self, client: Any, endpoint: str, subject: str) -> dict[str, Any]:
        """What the provider tells of the same person elsewhere, where the token says little."""
        with _told_apart():
            answer = await client.get(endpoint)
            answer.raise_for_status()
            told = answer.json()
        if not isinstance(told, dict) or told.get("sub") != subject:
            raise IdentityRefused("the provider told of somebody else")
        return told

    async def _discovered(self) -> _Known:
        """The provider's addresses and keys. Raises ProviderUnreachable."""
        async with self._lock:
            now = self._clock()
            if self._known is None or now - self._known.at > _FRESH_S:
                self._known = await self._discover(now)
            return self._known

    async def _discover(self, now: float) -> _Known:
        from httpx2 import AsyncClient
        from joserfc.jwk import KeySet

        with _told_apart():
            async with AsyncClient(timeout=_WHOLE_S) as http:
                found = await http.get(f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
                metadata = found.raise_for_status().json()
                _check(metadata, self._issuer)
                keys = (await http.get(metadata["jwks_uri"])).raise_for_status().json()
            return _Known(metadata, KeySet.import_key_set(keys), now, now)

    @asynccontextmanager
    async def _client(self, metadata: Mapping[str, Any], back: str) -> AsyncIterator[Any]:
        from authlib.integrations.httpx_client import AsyncOAuth2Client  # type: ignore[import-untyped]

        offered = metadata.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        method = "client_secret_basic" if "client_secret_basic" in offered else "client_secret_post"
        async with AsyncOAuth2Client(
            self._client_id,
            self._client_secret or None,
            token_endpoint_auth_method=method if self._client_secret else "none",
            scope=SCOPE,
            redirect_uri=back,
            code_challenge_method="S256",
            leeway=0,  # a token is used at once or never: one that lives for a minute will do
            timeout=_WHOLE_S,
        ) as client:
            yield client


def is_private_way(address: str) -> bool:
    """Whether nobody can listen on the way to an address: https, or this machine itself."""
    parts = urlsplit(address)
    return bool(parts.hostname) and (
        parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    )


def _check(metadata: Any, issuer: str) -> None:
    """Raises ValueError for a document that is not that issuer's, or names an address one could listen to."""
    if not isinstance(metadata, dict) or metadata.get("issuer") != issuer:
        raise ValueError(f"the document there is not of {issuer}")
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"):
        given = metadata.get(name)
        if given is None and name == "userinfo_endpoint":
            continue
        if not isinstance(given, str) or not is_private_way(given):
            raise ValueError(f"{name} of {issuer} is missing or not https")


@contextmanager
def _told_apart() -> Iterator[None]:
    """Around what asks the provider: its silence, its refusals and its nonsense become errors of ours."""
    from authlib.integrations.base_client import OAuthError  # type: ignore[import-untyped]
    from httpx2 import HTTPError, InvalidURL
    from joserfc.errors import JoseError

    try:
        yield
    except OAuthError as error:
        raise IdentityRefused(f"the provider refused the code ({error.error})") from error
    except (HTTPError, InvalidURL, JoseError, ValueError, KeyError) as error:
        raise ProviderUnreachable(f"{ProviderUnreachable.__doc__} ({type(error).__name__})") from error
