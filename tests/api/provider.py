"""A little OpenID provider on loopback that does what a real one does, and lies where a test tells it to."""

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from sara.local import listen, serving

CLIENT_ID, CLIENT_SECRET = "sara at work", "s3cret&more"


@dataclass
class Provider:
    """Who is logged in there (`email`), and where it lies: in claims of its tokens, in keys, in addresses."""

    issuer: str = ""
    email: str = ""
    claims: dict[str, Any] = field(default_factory=dict)  # of an ID token, over the true ones; None: left out
    userinfo: dict[str, Any] | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    algorithm: str = "RS256"
    signs_with: RSAKey | bytes | None = None  # another key than the one it shows
    refuses: str = ""  # an error instead of a code
    down: bool = False
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"use": "sig"}, auto_kid=True))
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def truthful(self) -> None:
        """From now on it lies nowhere."""
        blank = Provider()
        for name in ("claims", "userinfo", "metadata", "algorithm", "signs_with", "refuses", "down"):
            setattr(self, name, getattr(blank, name))

    def app(self) -> Starlette:
        """Its pages."""
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._discovery),
                Route("/keys", self._keys),
                Route("/authorize", self._authorize),
                Route("/token", self._token, methods=["POST"]),
                Route("/userinfo", self._userinfo),
            ]
        )

    async def _discovery(self, _: Request) -> Response:
        self.asked.append("discovery")
        if self.down:
            return Response("<h1>Bad gateway</h1>", 502, media_type="text/html")
        known = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        }
        return JSONResponse({**known, **self.metadata})

    async def _keys(self, _: Request) -> Response:
        return JSONResponse(KeySet([self.key]).as_dict(private=False))

    async def _authorize(self, request: Request) -> Response:
        """Lets in whoever `email` is, without asking."""
        asked = dict(request.query_params)
        assert asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT_ID
        assert {"openid", "email"} <= set(asked["scope"].split())
        assert asked["code_challenge_method"] == "S256"
        back = {"state": asked["state"], "iss": self.issuer}
        if self.refuses:
            back["error"] = self.refuses
        else:
            back["code"] = secrets.token_urlsafe(16)
            self.codes[back["code"]] = asked
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode(back)}", 302)

    async def _token(self, request: Request) -> Response:
        form = {name: str(value) for name, value in (await request.form()).items()}
        known = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        asked = self.codes.pop(form["code"], None)
        proof = _base64(hashlib.sha256(form["code_verifier"].encode()).digest())
        right = (
            request.headers.get("authorization") == f"Basic {known}"
            and asked is not None
            and form["redirect_uri"] == asked["redirect_uri"]
            and proof == asked["code_challenge"]
        )
        if not right or asked is None:
            return JSONResponse({"error": "invalid_grant"}, 400)
        return JSONResponse(
            {
                "access_token": "access",
                "token_type": "Bearer",
                "expires_in": 60,
                "id_token": self._signed(asked["nonce"]),
            }
        )

    def _signed(self, nonce: str) -> str:
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "sub": "subject-1",
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 300,
            "nonce": nonce,
            "email": self.email,
            "email_verified": True,
        }
        said = {name: value for name, value in {**claims, **self.claims}.items() if value is not None}
        header = {"alg": self.algorithm, "kid": self.key.kid}
        if self.algorithm in ("none", "HS256"):  # by hand: the library makes no such token
            text = f"{_base64(_json(header))}.{_base64(_json(said))}"
            secret = self.signs_with if isinstance(self.signs_with, bytes) else b""
            return f"{text}.{_base64(hmac.digest(secret, text.encode(), 'sha256')) if secret else ''}"
        assert not isinstance(self.signs_with, bytes)
        return jwt.encode(header, said, self.signs_with or self.key, algorithms=[self.algorithm])

    async def _userinfo(self, request: Request) -> Response:
        if request.headers.get("authorization") != "Bearer access" or self.userinfo is None:
            return JSONResponse({"error": "invalid_token"}, 401)
        return JSONResponse(self.userinfo)


def _base64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value).encode()


@asynccontextmanager
async def opened() -> AsyncIterator[Provider]:
    """A provider that answers on loopback."""
    provider = Provider()
    listener = listen(0)
    with listener:
        provider.issuer = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with serving(provider.app(), listener):
            yield provider
