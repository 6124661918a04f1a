"""Signed answers to the broker: JSON web tokens in its own dialect (Ed25519, keys in base 32 with a check sum).

Nobody else's library signs them in Python: `nkeys` of NATS lacks tokens and needs a second library of cryptography.
"""

from __future__ import annotations

import json
from base64 import b32encode, urlsafe_b64decode, urlsafe_b64encode
from binascii import crc_hqx
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

USER, SYSTEM_USER = "keys", "keys_system"
"""The credentials of who answers the broker, and of who speaks to it about itself; from the password of the first
follows the key that signs."""
ASKED = "$SYS.REQ.USER.AUTH"
"""Where the broker asks who a user is that its own table does not have."""
_ACCOUNT = 0
"""The first byte of a public key that signs for an account; it makes the text begin with A."""
_HEAD = {"typ": "JWT", "alg": "ed25519-nkey"}


@dataclass(frozen=True)
class Signer:
    """A key that signs; `public` is what the broker knows it by."""

    private: Ed25519PrivateKey
    public: str

    def token(self, claims: dict[str, Any], at: int) -> str:
        """The claims, signed. `at`: seconds since 1970."""
        issued = {**claims, "iss": self.public, "iat": at}
        issued["jti"] = b32encode(sha256(_json(issued)).digest()).decode().rstrip("=")
        text = f"{_text(_json(_HEAD))}.{_text(_json(issued))}"
        return f"{text}.{_text(self.private.sign(text.encode()))}"


def signer(password: str) -> Signer:
    """The key that follows from a password."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # a command that asks needs none
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    private = Ed25519PrivateKey.from_private_bytes(sha256(f"ioc keys {password}".encode()).digest())
    raw = bytes([_ACCOUNT]) + private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    checked = raw + crc_hqx(raw, 0).to_bytes(2, "little")
    return Signer(private, b32encode(checked).decode().rstrip("="))


def claims(token: bytes) -> dict[str, Any]:
    """What a token says. Who signed it is not looked at: the broker alone may publish where these come from.

    Raises ValueError for what is no token.
    """
    try:
        _, body, _ = token.split(b".")
        said = json.loads(urlsafe_b64decode(body + b"=" * (-len(body) % 4)))
    except (ValueError, UnicodeDecodeError) as wrong:
        raise ValueError(f"not a token: {wrong}") from None
    if not isinstance(said, dict):
        raise ValueError("not a token: it says no object")
    return said


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")
