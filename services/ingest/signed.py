"""Requests that are signed instead of opened by a secret: HTTP Message Signatures (RFC 9421) with hmac-sha256, the body
by its Content-Digest (RFC 9530).

The signature is held against method, path and headers before the body is read, the digest against the bytes as they
came before anything of them is parsed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from fastapi import Request
from http_message_signatures import HTTPMessageVerifier, HTTPSignatureKeyResolver, InvalidSignature, VerifyResult
from http_message_signatures.algorithms import HMAC_SHA256

from services.ingest.keyring import Keyring
from services.ingest.router import Refused, read_body, unavailable
from services.kit.errors import Unavailable
from services.kit.keys import Key

MOST_BYTES = 4 * 2**20
"""Of a signed body, whatever its form: it is held against its digest as a whole."""
MOST_AGE = timedelta(minutes=5)
"""For so long a request may be sent again; an event counts once for ever."""
COVERED = ("@method", "@path", "content-type", "content-digest")
WANTED = {
    "Accept-Signature": f'sig=({" ".join(f"{chr(34)}{name}{chr(34)}" for name in COVERED)});created;alg="hmac-sha256"'
}


class _Message(NamedTuple):
    """A request as the library reads one."""

    method: str
    url: str
    headers: Any


class _Of(HTTPSignatureKeyResolver):
    """One secret, whoever is named."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def resolve_public_key(self, key_id: str) -> bytes:
        return self._secret


class _Named(HTTPSignatureKeyResolver):
    """Notes who is named, and knows no secret."""

    name = ""

    def resolve_public_key(self, key_id: str) -> None:
        self.name = key_id


class _Verifier(HTTPMessageVerifier):
    max_clock_skew = timedelta(seconds=30)


def is_signed(request: Request) -> bool:
    """Whether a request claims to be signed."""
    return "signature-input" in request.headers


async def verified(keyring: Keyring, request: Request) -> tuple[Key, Request]:
    """Whose request it is, and the request with its body as it was verified; `Refused`, 401, where it is nobody's."""
    message = _message(request)
    try:
        key, signatures, verifier = _holder(keyring, message, _required(request))
        body = await read_body(request, MOST_BYTES)
        verifier.verify_body(message, signatures, body)
    except InvalidSignature as wrong:
        raise Refused(401, "bad_signature", f"signature: {wrong}", headers=dict(WANTED)) from None
    except Unavailable as error:
        raise unavailable(error, "send it again") from None
    return key, _with(request, body)


def _holder(
    keyring: Keyring, message: _Message, required: Sequence[str]
) -> tuple[Key, list[VerifyResult], HTTPMessageVerifier]:
    """The key of whom is named, by whichever of its secrets holds."""
    key, secrets = keyring.signing(_named(message)) or (None, [])
    problem = InvalidSignature("the keyid is that of no key that signs and lives")
    for secret in secrets if key else ():
        verifier = _Verifier(signature_algorithm=HMAC_SHA256, key_resolver=_Of(secret))
        try:
            signatures = verifier.verify(message, max_age=MOST_AGE, require_components=required)
        except InvalidSignature as wrong:
            problem = wrong
        else:
            assert key is not None
            keyring.shown(key)
            return key, signatures, verifier
    raise problem


def _named(message: _Message) -> str:
    naming = _Named()
    try:
        _Verifier(signature_algorithm=HMAC_SHA256, key_resolver=naming).verify(message, max_age=MOST_AGE)
    except InvalidSignature:
        if not naming.name:
            raise
    return naming.name


def _required(request: Request) -> list[str]:
    """What a signature must cover: an event in binary form has its attributes in headers."""
    attributes = sorted({name for name in request.headers if name.startswith("ce-")})
    return [*COVERED, *(["@query"] if request.url.query else []), *attributes]


def _message(request: Request) -> _Message:
    lines: dict[str, list[str]] = {}
    for name, value in request.headers.items():
        lines.setdefault(name, []).append(value)
    path = request.scope.get("raw_path", b"").decode("ascii", "replace").partition("?")[0]
    query = f"?{request.url.query}" if request.url.query else ""
    return _Message(request.method, f"http://centre{path}{query}", {name: ", ".join(of) for name, of in lines.items()})


def _with(request: Request, body: bytes) -> Request:
    left = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Any:
        return left.pop() if left else await request.receive()

    return Request(request.scope, receive)
