"""The few Graph API calls SARA makes, with typed outcomes: sent, refused, or unknown."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ConfigDict, ValidationError

from channels.messages import OutboundMessage
from channels.whatsapp.apps import App, Subscription, read_apps, read_subscription
from channels.whatsapp.errors import (
    ConnectFailed,
    InvalidParameter,
    MediaCorrupt,
    MediaGone,
    MediaHostRefused,
    MediaTooBig,
    OutcomeUnknown,
    Transient,
    WhatsAppError,
    from_response,
)
from channels.whatsapp.limits import CALLBACK_DATA_MAX
from channels.whatsapp.render import to_graph

META_HOSTS = ("facebook.com", "fbcdn.net", "fbsbx.com", "whatsapp.net")
"""Media is served by these hosts and their subdomains; the token goes nowhere else."""

CALL_TIMEOUT = httpx.Timeout(15.0, connect=3.0, pool=5.0)
MEDIA_TIMEOUT = httpx.Timeout(20.0, connect=3.0, pool=5.0)
MEDIA_TOTAL_S = 120.0
MOST_REDIRECTS = 3
MOST_TEMPLATE_PAGES = 100  # of a hundred; an account may have 6000

# Before these exceptions no byte of the request has left; after any other it may have.
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


class SentMessage(BaseModel):
    """Meta accepted a message: its wamid, and the customer's wa_id as Meta writes it, when told."""

    model_config = ConfigDict(frozen=True)

    wamid: str
    wa_id: str | None = None


class MediaInfo(BaseModel):
    """Where a file can be fetched for five minutes, and what it must be. Sizes in bytes."""

    model_config = ConfigDict(frozen=True)

    url: str
    mime_type: str | None = None
    sha256: str | None = None
    file_size: int | None = None


class PhoneNumber(BaseModel):
    """A business's number as Meta knows it."""

    model_config = ConfigDict(frozen=True)

    id: str
    display_phone_number: str | None = None
    verified_name: str | None = None
    quality_rating: str | None = None
    status: str | None = None
    platform_type: str | None = None


class Token(BaseModel):
    """What a token is allowed, by Meta's own word; `expires_at` in seconds since 1970, 0 for never."""

    model_config = ConfigDict(frozen=True)

    is_valid: bool = False
    expires_at: int = 0
    scopes: tuple[str, ...] = ()
    app_id: str | None = None
    application: str | None = None


class WhatsAppClient:
    """Calls on behalf of one access token. It holds no state: limits and retries belong to the sender.

    Every method raises a WhatsAppError: ConnectFailed when nothing was sent, OutcomeUnknown when a message
    may have been sent, and otherwise the class of Meta's code.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        *,
        base_url: str,
        access_token: str,
        version: str = "v23.0",
        timeout: httpx.Timeout = CALL_TIMEOUT,
    ) -> None:
        """`base_url` is the Graph API's, without the version; the caller opens and closes `http`.

        `timeout` holds for every call but uploads and downloads, which have longer ones of their own.
        Raises ValueError for a token that cannot be written in a header.
        """
        self._http = http
        self._version = version
        self._root = httpx.URL(base_url)
        self._base = f"{base_url.rstrip('/')}/{version}"
        self._timeout = timeout
        token = access_token.strip()
        if not (token.isascii() and token.isprintable()):
            raise ValueError("the access token holds characters no token has: copy it again")
        # Without a token the header is left out: Meta then answers 190, where `Bearer ` alone breaks HTTP.
        self._auth = {"Authorization": f"Bearer {token}"} if token else {}

    def with_token(self, access_token: str) -> WhatsAppClient:
        """A client of another account, on the same connections. Raises ValueError like the constructor."""
        return WhatsAppClient(
            self._http,
            base_url=self._base.removesuffix(f"/{self._version}"),
            access_token=access_token,
            version=self._version,
            timeout=self._timeout,
        )

    async def send(
        self,
        phone_number_id: str,
        *,
        to: str | None,
        recipient: str | None,
        message: OutboundMessage,
        callback_data: str,
    ) -> SentMessage:
        """Send one message that obeys the limits (see `limits.fit`), once and without retry.

        `callback_data`, at most 512 characters, comes back in every status of the message and is the only
        way to learn what became of an unknown outcome.
        """
        if len(callback_data) > CALLBACK_DATA_MAX:
            raise InvalidParameter(f"callback data is longer than {CALLBACK_DATA_MAX} characters", code=100)
        body = to_graph(message, to=to, recipient=recipient, callback_data=callback_data)
        answer = await self._call("POST", f"{phone_number_id}/messages", json=body, repeatable=False)
        return _sent(answer)

    async def mark_read(self, phone_number_id: str, wamid: str, typing: bool) -> None:
        """Show the customer's message as read and, with `typing`, SARA as typing for up to 25 s."""
        body: dict[str, Any] = {"messaging_product": "whatsapp", "status": "read", "message_id": wamid}
        if typing:
            body["typing_indicator"] = {"type": "text"}
        await self._call("POST", f"{phone_number_id}/messages", json=body)

    async def media_url(self, media_id: str) -> MediaInfo:
        """Ask where a media file can be fetched; the address is valid for five minutes."""
        answer = await self._call("GET", quote(media_id, safe=""))
        try:
            return MediaInfo.model_validate(answer)
        except ValidationError as problem:
            raise Transient("the answer holds no media address") from problem

    async def download(self, info: MediaInfo, *, limit_bytes: int) -> bytes:
        """Fetch a file of at most `limit_bytes`, checked against its announced size and SHA-256.

        Raises MediaHostRefused, MediaTooBig, MediaCorrupt, MediaGone (ask for the address again),
        ConnectFailed or Transient. A redirect carries the token along, so it is followed to allowed hosts
        only, and no more than MOST_REDIRECTS times.
        """
        url = self._allowed(info.url)
        if info.file_size is not None and info.file_size > limit_bytes:
            raise MediaTooBig(f"{info.file_size} bytes, the limit is {limit_bytes}")
        try:
            async with asyncio.timeout(MEDIA_TOTAL_S):
                data = await self._stream(url, limit_bytes)
        except TimeoutError as problem:
            raise Transient(f"the download took more than {MEDIA_TOTAL_S:.0f} s") from problem
        except httpx.HTTPError as problem:
            raise _connection_error(problem, repeatable=True) from problem
        _check(data, info)
        return data

    async def upload(self, phone_number_id: str, data: bytes, mime_type: str, filename: str) -> str:
        """Upload a file and return its media id, valid for 30 days."""
        answer = await self._call(
            "POST",
            f"{phone_number_id}/media",
            data={"messaging_product": "whatsapp", "type": mime_type},
            files={"file": (filename, data, mime_type)},
            timeout=MEDIA_TIMEOUT,
        )
        media_id = answer.get("id")
        if not isinstance(media_id, str | int) or not str(media_id):
            raise Transient("the answer holds no media id")
        return str(media_id)

    async def phone_number(self, phone_number_id: str) -> PhoneNumber:
        """The number's public record: proves that base URL, token and number id fit together."""
        fields = "id,display_phone_number,verified_name,quality_rating,status,platform_type"
        answer = await self._call("GET", phone_number_id, params={"fields": fields})
        try:
            return PhoneNumber.model_validate({"id": phone_number_id, **answer})
        except ValidationError as problem:
            raise Transient("the answer is not a phone number's record") from problem

    async def templates(self, waba_id: str) -> list[Mapping[str, Any]]:
        """Every template of a WhatsApp Business Account, as the Graph API writes them, over all pages."""
        fields = "name,language,status,category,components,quality_score,rejected_reason"
        found: list[Mapping[str, Any]] = []
        params = {"fields": fields, "limit": "100"}
        for _ in range(MOST_TEMPLATE_PAGES):
            answer = await self._call("GET", f"{quote(waba_id, safe='')}/message_templates", params=params)
            page = answer.get("data")
            if not isinstance(page, list):
                raise Transient("the answer holds no list of templates")
            found += [item for item in page if isinstance(item, Mapping)]
            paging = answer.get("paging")
            paging = paging if isinstance(paging, Mapping) else {}
            cursors = paging.get("cursors")
            after = cursors.get("after") if isinstance(cursors, Mapping) else None
            if not paging.get("next") or not isinstance(after, str):
                break
            params = {**params, "after": after}
        return found

    async def token(self) -> Token:
        """What this client's own token may do.

        https://developers.facebook.com/docs/graph-api/reference/debug_token
        """
        own = self._auth.get("Authorization", "").removeprefix("Bearer ")
        answer = await self._call("GET", "debug_token", params={"input_token": own})
        try:
            return Token.model_validate(answer["data"])
        except (KeyError, ValidationError) as problem:
            raise Transient("the answer does not describe a token") from problem

    async def account_of(self, phone_number_id: str) -> str | None:
        """The id of the WhatsApp business account a number belongs to; None where Meta does not say."""
        try:
            answer = await self._call("GET", phone_number_id, params={"fields": "whatsapp_business_account"})
        except InvalidParameter:  # not every version of the Graph API tells it
            return None
        account = answer.get("whatsapp_business_account")
        found = account.get("id") if isinstance(account, Mapping) else None
        return str(found) if found else None

    async def subscribed(self, waba_id: str) -> list[App]:
        """The apps that get an account's webhooks."""
        return read_apps(await self._call("GET", f"{waba_id}/subscribed_apps"))

    async def subscription(self, app_id: str, app_secret: str) -> Subscription | None:
        """Where Meta posts an app's webhooks; None: nowhere. Meta answers a wrong secret with an error.

        Raises ValueError for a secret that cannot be written in a header.
        """
        as_app = self.with_token(f"{app_id}|{app_secret}")
        return read_subscription(await as_app._call("GET", f"{quote(app_id, safe='')}/subscriptions"))

    async def subscribe(self, waba_id: str) -> None:
        """Lets this token's app get an account's webhooks; again changes nothing."""
        await self._call("POST", f"{waba_id}/subscribed_apps")

    async def _call(
        self,
        method: str,
        path: str,
        *,
        repeatable: bool = True,
        timeout: httpx.Timeout | None = None,
        **content: Any,
    ) -> Mapping[str, Any]:
        """One request; a `repeatable` call may be made twice, so a broken connection is only transient."""
        try:
            response = await self._http.request(
                method,
                f"{self._base}/{path}",
                headers=self._auth,
                timeout=timeout or self._timeout,
                follow_redirects=False,
                **content,
            )
        except httpx.HTTPError as problem:
            raise _connection_error(problem, repeatable=repeatable) from problem
        body = _decoded(response)
        if not response.is_success:
            raise from_response(response.status_code, body, retry_after_s=_retry_after(response))
        if not isinstance(body, Mapping):
            unreadable = f"HTTP {response.status_code} with a body that is not a JSON object"
            raise Transient(unreadable) if repeatable else OutcomeUnknown(unreadable)
        return body

    def _allowed(self, address: str) -> httpx.URL:
        """The address, if the token may be sent there; raises MediaHostRefused."""
        try:
            url = httpx.URL(address)
        except httpx.InvalidURL as problem:
            raise MediaHostRefused("the media's address is not a URL") from problem
        at_meta = any(url.host == host or url.host.endswith("." + host) for host in META_HOSTS)
        if url.scheme == "https" and (at_meta or url.host == self._root.host):
            return url
        if url.scheme == self._root.scheme == "http" and url.host == self._root.host:
            return url
        raise MediaHostRefused(f"{url.scheme}://{url.host}")

    def _redirected(self, url: httpx.URL, location: str) -> httpx.URL:
        try:
            return self._allowed(str(url.join(location)))
        except httpx.InvalidURL as problem:
            raise MediaHostRefused(f"redirected to {location[:200]!r}") from problem

    async def _stream(self, url: httpx.URL, limit_bytes: int) -> bytes:
        for _ in range(MOST_REDIRECTS + 1):
            found = await self._follow(url, limit_bytes)
            if isinstance(found, bytes):
                return found
            url = found
        raise MediaHostRefused(f"redirected more than {MOST_REDIRECTS} times")

    async def _follow(self, url: httpx.URL, limit_bytes: int) -> bytes | httpx.URL:
        """The file, or the allowed address it is redirected to."""
        async with self._http.stream(
            "GET", url, headers=self._auth, timeout=MEDIA_TIMEOUT, follow_redirects=False
        ) as response:
            if response.is_redirect:
                return self._redirected(url, response.headers.get("location", ""))
            if response.status_code in (404, 410):
                raise MediaGone(f"HTTP {response.status_code}")
            if not response.is_success:
                await response.aread()
                raise from_response(
                    response.status_code, _decoded(response), retry_after_s=_retry_after(response)
                )
            data = bytearray()
            async for chunk in response.aiter_bytes():
                data += chunk
                if len(data) > limit_bytes:
                    raise MediaTooBig(f"more than {limit_bytes} bytes")
            return bytes(data)


def _sent(answer: Mapping[str, Any]) -> SentMessage:
    """The accepted message; an answer of success that names none leaves the outcome unknown."""
    try:
        wamid = answer["messages"][0]["id"]
        contacts = answer.get("contacts") or [{}]
        return SentMessage(wamid=wamid, wa_id=contacts[0].get("wa_id"))
    except (KeyError, IndexError, TypeError, AttributeError, ValidationError) as problem:
        raise OutcomeUnknown("Meta answered success without a message id") from problem


def _connection_error(problem: httpx.HTTPError, *, repeatable: bool) -> WhatsAppError:
    cause = f"{type(problem).__name__}: {problem}".rstrip(": ")
    if isinstance(problem, _NEVER_SENT):
        return ConnectFailed(cause)
    return Transient(cause) if repeatable else OutcomeUnknown(cause)


def _decoded(response: httpx.Response) -> object:
    try:
        return response.json()
    except (ValueError, RecursionError):
        return None


def _retry_after(response: httpx.Response) -> float | None:
    """Seconds of the Retry-After header; the date form, which Meta does not use, counts as absent."""
    value = response.headers.get("Retry-After", "").strip()
    return float(value) if value.isascii() and value.isdigit() and len(value) < 7 else None


def _check(data: bytes, info: MediaInfo) -> None:
    if info.file_size is not None and len(data) != info.file_size:
        raise MediaCorrupt(f"{len(data)} bytes came, {info.file_size} were announced")
    if info.sha256 and not any(
        hmac.compare_digest(hashlib.sha256(data).digest(), digest) for digest in _digests(info.sha256)
    ):
        raise MediaCorrupt("the SHA-256 is another")


def _digests(announced: str) -> list[bytes]:
    """The digest as bytes: the media API writes it in hexadecimal, webhooks write it in base64."""
    found = []
    try:
        found.append(bytes.fromhex(announced))
    except ValueError:
        try:
            found.append(base64.b64decode(announced, validate=True))
        except (binascii.Error, ValueError):
            return []
    return found
