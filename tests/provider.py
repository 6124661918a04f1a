"""An OpenID provider for tests, on this machine's loopback."""

from __future__ import annotations

import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse
from joserfc import jwt
from joserfc.jwk import RSAKey
from support import free_port


class Provider:
    """Whoever is sent there is `person`, unless something is made `wrong`; `ended`: whose sessions were ended."""

    def __init__(self, port: int) -> None:
        self.issuer = f"http://127.0.0.1:{port}"
        self.person: dict[str, Any] = {}
        self.wrong = ""
        self.ended: list[dict[str, str]] = []
        self._key, self._other = (RSAKey.generate_key(2048, {"kid": "one"}) for _ in range(2))
        self._asked: dict[str, dict[str, str]] = {}

    def approve(self, address: str) -> str:
        """A person agrees; where their browser is sent then."""
        asked = _fields(urlsplit(address).query)
        assert asked["code_challenge_method"] == "S256"
        assert asked["response_type"] == "code"
        code = f"code{len(self._asked)}"
        self._asked[code] = asked
        state = "another" if self.wrong == "state" else asked["state"]
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': state})}"

    def app(self) -> FastAPI:
        """What it serves."""
        app = FastAPI()

        @app.get("/.well-known/openid-configuration")
        def about() -> dict[str, Any]:
            ways = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys",
                    "end_session_endpoint": "end"}  # fmt: skip
            return {
                "issuer": "https://another.vn" if self.wrong == "issuer" else self.issuer,
                "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
                **{name: f"{self.issuer}/{path}" for name, path in ways.items()},
            }

        @app.get("/authorize")
        def authorize(request: Request) -> RedirectResponse:
            return RedirectResponse(self.approve(str(request.url)), 302)

        @app.get("/keys")
        def keys() -> dict[str, Any]:
            return {"keys": [self._key.as_dict(private=False)]}

        @app.post("/token")
        async def token(request: Request) -> dict[str, Any]:
            told = _fields((await request.body()).decode())
            asked = self._asked.pop(told["code"])
            assert told["redirect_uri"] == asked["redirect_uri"]
            assert _challenge(told["code_verifier"]) == asked["code_challenge"]
            return {"access_token": "a", "token_type": "Bearer", "id_token": self._signed(asked["nonce"])}

        @app.get("/end")
        def end(request: Request) -> RedirectResponse:
            self.ended.append(dict(request.query_params))
            return RedirectResponse(request.query_params["post_logout_redirect_uri"], 302)

        return app

    def _signed(self, nonce: str) -> str:
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": "another" if self.wrong == "audience" else "ioc",
            "iat": now,
            "exp": now - 3600 if self.wrong == "age" else now + 60,
            "nonce": "another" if self.wrong == "nonce" else nonce,
            **self.person,
        }
        if self.wrong == "unsigned":
            head = jwt.encode({"alg": "RS256"}, claims, self._key).split(".")
            return f"eyJhbGciOiJub25lIn0.{head[1]}."
        key = self._other if self.wrong == "signature" else self._key
        return jwt.encode({"alg": "RS256", "kid": "one"}, claims, key)


@contextmanager
def providing() -> Iterator[Provider]:
    """A provider that answers."""
    port = free_port()
    made = Provider(port)
    server = uvicorn.Server(uvicorn.Config(made.app(), port=port, log_level="critical"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield made
    server.should_exit = True
    thread.join(5)


def person(sub: str, *groups: str, **more: str) -> dict[str, Any]:
    """What a provider says of somebody."""
    return {"sub": sub, "name": f"Người {sub}", "preferred_username": sub, "groups": list(groups), **more}


def _fields(text: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(text).items()}


def _challenge(verifier: str) -> str:
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).decode().rstrip("=")
