"""Messages to one person by a Zalo Official Account, as a channel of apprise: `zalooa://<user id>?tokens=<file>`.

The file lies in the folder of the channels' files: JSON with `app_id`, `secret_key`, `access_token` and
`refresh_token`. Both tokens change at every refresh, so the new ones are written back before they are used, and none
are asked for where they could not be kept. Zalo answers 200 also when it refuses: what counts is `error` in the body.
"""

from __future__ import annotations

import json
import os
import threading
from logging import getLogger
from pathlib import Path
from typing import Any

import requests
from apprise.decorators import notify
from apprise.manager_plugins import NotificationManager

from schemas.text import files

SCHEMA = "zalooa"
API, OAUTH = "https://openapi.zalo.me", "https://oauth.zaloapp.com"
EXPIRED = frozenset({-124, -216, -220})
"""The codes of Zalo that mean: this access token is not valid any more."""
LONGEST = 2000
"""Characters of a text message."""
ROOM = 16_384
"""Bytes on the disk that new tokens surely fit into."""
TIMEOUT = (4, 10)
_RENEWING = threading.Lock()
log = getLogger("apprise")  # what is logged there, as apprise's own plugins do, becomes the reason of a failure


class Refused(Exception):
    """Zalo took nothing: why, and Zalo's code or another."""

    def __init__(self, why: str, code: object) -> None:
        super().__init__(f"{why}, error={code}.")


def register(folder: Path | None) -> None:
    """Let apprise know addresses of the form `zalooa://…`; token files are looked for in `folder`."""
    if SCHEMA in NotificationManager():
        NotificationManager().remove(SCHEMA)

    def as_channel(body: str, title: str = "", *args: Any, meta: dict[str, Any], **kwargs: Any) -> bool:
        query = meta.get("qsd") or {}
        if folder is None or not meta.get("host") or not query.get("tokens"):
            log.warning("The address must be zalooa://<user id>?tokens=<file of the channels' folder>, error=400.")
            return False
        file = folder / Path(query["tokens"]).name
        try:
            send(file, meta["host"], f"{title}\n{body}", query.get("api", API), query.get("oauth", OAUTH))
        except (Refused, files.Unreadable) as refused:
            log.warning("%s", refused)
            return False
        except requests.RequestException as error:
            log.warning("Zalo does not answer")
            log.debug("Socket Exception: %s", error)
            return False
        return True

    notify(on=SCHEMA, name="Zalo OA")(as_channel)


def send(file: Path, user: str, text: str, api: str = API, oauth: str = OAUTH) -> None:
    """Send a text to a user, with new tokens if need be; raises `Refused`, or what `requests` raises."""
    tokens = json.loads(files.read(file))
    answer = _post_message(api, tokens["access_token"], user, text)
    if answer.get("error") in EXPIRED:
        answer = _post_message(api, _renewed(file, tokens["access_token"], oauth), user, text)
    if answer.get("error") != 0:
        raise Refused(f"Zalo refuses: {answer.get('message', '')}", answer.get("error"))


def _post_message(api: str, token: str, user: str, text: str) -> dict[str, Any]:
    body = {"recipient": {"user_id": user}, "message": {"text": text[:LONGEST]}}
    head = {"access_token": token}
    return _answer(requests.post(f"{api}/v3.0/oa/message/cs", json=body, headers=head, timeout=TIMEOUT))


def _renewed(file: Path, stale: str, oauth: str) -> str:
    """A valid access token: the one that another message has fetched meanwhile, or a new one, kept before it is used.

    A refresh token is good for one use, so only one message at a time may ask.
    """
    with _RENEWING:
        tokens = json.loads(files.read(file))
        if tokens["access_token"] != stale:
            return str(tokens["access_token"])
        reserved = _reserved_file(file)
        tokens |= _new_tokens(tokens, oauth)
        _to_disk(reserved, json.dumps(tokens, indent=2))
        reserved.replace(file)
        return str(tokens["access_token"])


def _new_tokens(tokens: dict[str, str], oauth: str) -> dict[str, str]:
    form = {"grant_type": "refresh_token", **{name: tokens[name] for name in ("app_id", "refresh_token")}}
    head = {"secret_key": tokens["secret_key"]}
    fresh = _answer(requests.post(f"{oauth}/v4/oa/access_token", data=form, headers=head, timeout=TIMEOUT))
    if "access_token" not in fresh:
        raise Refused(f"Zalo gives no new token: {fresh.get('error_description', '')}", fresh.get("error"))
    return {name: fresh[name] for name in ("access_token", "refresh_token")}


def _answer(response: requests.Response) -> dict[str, Any]:
    if response.status_code != 200:
        raise Refused("Zalo answers", response.status_code)
    found = response.json()
    return found if isinstance(found, dict) else {}


def _reserved_file(file: Path) -> Path:
    """A file to take the place of `file`, readable by the owner alone, that already has its room on the disk; raises
    `Refused` where that cannot be had, before anything is spent."""
    reserved = file.with_name(f".{file.name}.tmp")
    try:
        reserved.touch(mode=0o600)
        _to_disk(reserved, " " * ROOM)
    except OSError as error:
        raise Refused(f"no new tokens, as {file} cannot be written anew: {error.strerror}", error.errno) from error
    return reserved


def _to_disk(file: Path, text: str) -> None:
    """Write over what the file holds, so that its room is not given back meanwhile."""
    with file.open("r+", encoding="utf-8") as stream:
        stream.write(text)
        stream.truncate()
        stream.flush()
        os.fsync(stream.fileno())
