"""Entering through an OpenID provider: the code flow with PKCE, state and nonce, all checked by authlib."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx
from authlib.integrations.base_client import OAuthError
from authlib.integrations.starlette_client import OAuth, StarletteOAuth2App
from fastapi import FastAPI, Request
from fastapi.responses import Response
from joserfc.errors import JoseError
from psycopg_pool import AsyncConnectionPool

from schemas.text import files
from services.board.access import PUBLIC, Account, Grant, grant_of, strongest
from services.board.auth import accounts, audit, login
from services.kit.settings import Settings

log = logging.getLogger("board")
COOKIE = "ioc_oidc"
MINUTES = 10
"""How long a person may take at the provider."""
MOST = 1000
WAY_OUT = "end_session_endpoint"
"""What a provider need not have."""
WAYS = ("authorization_endpoint", "token_endpoint", "jwks_uri", WAY_OUT)
LOOPBACK = ("127.0.0.1", "::1", "localhost")
SIGNED = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"})
"""Signatures that only the provider can make."""
_WRONG = (OAuthError, JoseError, ValueError, KeyError, RuntimeError)


class Waiting:
    """What is to be checked when a browser comes back from the provider; a restart forgets it."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[float, str, dict[str, Any]]] = {}

    def keep(self, target: str, data: dict[str, Any]) -> str:
        """Returns the key that only this browser is given."""
        key = secrets.token_urlsafe(32)
        self._kept = {k: v for k, v in self._kept.items() if v[0] > time.monotonic()}
        while len(self._kept) >= MOST:
            del self._kept[next(iter(self._kept))]
        self._kept[key] = (time.monotonic() + MINUTES * 60, target, data)
        return key

    def take(self, key: str | None) -> tuple[str, dict[str, Any]]:
        """The target and what was kept, once; nothing for a key that is not known."""
        until, target, data = self._kept.pop(key or "", (0.0, "/", {}))
        return (target, data) if until > time.monotonic() else ("/", {})


def add(app: FastAPI, pool: AsyncConnectionPool, settings: Settings) -> login.LeaveProvider:
    """The ways to and from the provider that the settings name; returns how one leaves it. `SystemExit` for settings
    that are wrong."""
    provider, table, waiting = provider_of(settings), table_of(settings.oidc_groups), Waiting()
    issuer = str(settings.oidc_issuer)

    @app.get("/oidc/login")
    async def leave(request: Request, next: str = "/") -> Response:
        data = request.scope["session"] = {}
        try:
            await _trusted(provider, issuer)
            answer: Response = await provider.authorize_redirect(request, _here(request, settings, "/oidc/back"))
        except (*_WRONG, httpx.HTTPError) as error:
            log.error("the OpenID provider cannot be used: %s: %s", type(error).__name__, error)
            return login.login_page(request, next, "oidc_away", 503, provider=True)
        key = waiting.keep(next, data)
        secure = request.url.scheme == "https"
        answer.set_cookie(COOKIE, key, MINUTES * 60, path="/oidc/", httponly=True, samesite="lax", secure=secure)
        return answer

    @app.get("/oidc/back")
    async def back(request: Request) -> Response:
        target, request.scope["session"] = waiting.take(request.cookies.get(COOKIE))
        if not request.scope["session"]:  # nobody went from here: that is no failure of anybody's, and not noted
            return login.login_page(request, target, "oidc_failed", 401, provider=True)
        try:
            await _trusted(provider, issuer)
            claims = (await provider.authorize_access_token(request))["userinfo"]
        except httpx.HTTPError as error:
            log.error("the OpenID provider does not answer: %s: %s", type(error).__name__, error)
            return login.login_page(request, target, "oidc_away", 503, provider=True)
        except _WRONG as error:
            log.warning("refused what came by way of the OpenID provider: %s: %s", type(error).__name__, error)
            return await _refuse(request, target, "oidc_failed", type(error).__name__)
        grant = strongest(table[group] for group in groups_of(claims, settings.oidc_groups_claim) if group in table)
        return await _enter(request, target, claims, grant)

    async def _enter(request: Request, target: str, claims: Mapping[str, Any], grant: Grant | None) -> Response:
        subject = f"{claims['iss']} {claims['sub']}"
        full_name, wanted = str(claims.get(settings.oidc_name, "")), str(claims.get("preferred_username", ""))
        async with pool.connection() as conn:
            account = await accounts.admit(conn, subject, wanted, full_name[:80], grant)
        if account is None:
            return await _refuse(request, target, "not_admitted", "no group of theirs has a role")
        answer = await login.enter(pool, request, account, target, way="oidc")
        answer.delete_cookie(COOKIE, path="/oidc/")
        return answer

    async def _refuse(request: Request, target: str, problem: str, why: str) -> Response:
        async with pool.connection() as conn:
            await audit.note(conn, PUBLIC, "login.failed", "", {"way": "oidc", "why": why})
        status = 403 if problem == "not_admitted" else 401
        return login.login_page(request, target, problem, status, provider=True)

    async def leave_provider(request: Request, account: Account) -> str | None:
        try:
            metadata = await _trusted(provider, issuer)
        except (*_WRONG, httpx.HTTPError) as error:
            log.error("the session at the OpenID provider goes on: %s: %s", type(error).__name__, error)
            return None
        async with pool.connection() as conn:
            sub = (await accounts.subject_of(conn, account.name)).removeprefix(f"{issuer} ")
        return way_out(metadata, settings.oidc_client, sub, _here(request, settings, "/login"))

    return leave_provider


def way_out(metadata: Mapping[str, Any], client: str, sub: str, back: str) -> str | None:
    """Where the provider with that word about itself ends the session of `sub`, and sends the browser `back` from.

    The id token would be the better hint, but is a person's data, good for a month: it is not kept for this. A provider
    asks the person instead whether they mean it.
    """
    if not (endpoint := metadata.get(WAY_OUT)):
        return None
    hints = {"client_id": client, "logout_hint": sub, "post_logout_redirect_uri": back}
    return str(httpx.URL(endpoint).copy_merge_params(hints))


def provider_of(settings: Settings) -> StarletteOAuth2App:
    """The provider that the settings name; `SystemExit` where it must not be trusted."""
    issuer = str(settings.oidc_issuer)
    if not is_safe(issuer):
        raise SystemExit(f"board: IOC_OIDC_ISSUER must be https://…, or http on this machine's loopback: {issuer}")
    secret = files.read(settings.oidc_secret).strip() or None if settings.oidc_secret else None
    made = OAuth().register(
        "ioc",
        client_id=settings.oidc_client,
        client_secret=secret,
        server_metadata_url=f"{issuer.rstrip('/')}/.well-known/openid-configuration",
        client_kwargs={
            "scope": settings.oidc_scope,
            "code_challenge_method": "S256",
            "token_endpoint_auth_method": "client_secret_basic" if secret else "none",
            "timeout": 5,
        },
    )
    assert isinstance(made, StarletteOAuth2App)
    return made


def table_of(groups: Mapping[str, str]) -> dict[str, Grant]:
    """Group -> what it grants; `SystemExit` for a row that is no role."""
    try:
        return {group: grant_of(text) for group, text in groups.items()}
    except ValueError as wrong:
        raise SystemExit(f"board: IOC_OIDC_GROUPS: {wrong}") from None


def groups_of(claims: Mapping[str, Any], claim: str) -> Iterable[str]:
    """The groups in an id token: a list, or one name."""
    metadata = claims.get(claim) or []
    return (
        [metadata]
        if isinstance(metadata, str)
        else [str(group) for group in metadata]
        if isinstance(metadata, list)
        else []
    )


def is_safe(address: object) -> bool:
    """Whether nobody between here and there can read or change what is said: TLS, or this machine's loopback."""
    parts = urlsplit(str(address))
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)


async def _trusted(provider: StarletteOAuth2App, issuer: str) -> Mapping[str, Any]:
    """The provider's own word about itself, held against what was configured; `ValueError` where they differ."""
    metadata: dict[str, Any] = await provider.load_server_metadata()
    if metadata.get("issuer") != issuer:
        provider.server_metadata.pop("_loaded_at", None)
        raise ValueError(f"it calls itself {metadata.get('issuer')}, IOC_OIDC_ISSUER is {issuer}")
    check_ways(metadata)
    signed = [each for each in metadata.get("id_token_signing_alg_values_supported", []) if each in SIGNED]
    metadata["id_token_signing_alg_values_supported"] = signed or ["RS256"]
    return metadata


def check_ways(metadata: Mapping[str, Any]) -> None:
    """`ValueError` where somebody between could read or change what is said to the provider."""
    for name in WAYS:
        if not is_safe(metadata.get(name)) and (name in metadata or name != WAY_OUT):
            raise ValueError(f"its {name} is not https: {metadata.get(name)}")


def _here(request: Request, settings: Settings, path: str) -> str:
    home = settings.board_url or str(request.base_url)
    return home.rstrip("/") + path
