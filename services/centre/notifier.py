"""Actions on alarms, asked of a centre's notifier, which alone may."""

from __future__ import annotations

import os
from typing import Any

import httpx

from infra.local.servers import Instance
from services.kit.errors import Unavailable, refusal

WITHIN_SECONDS = 40


class Refused(Exception):
    """The notifier will not do it; the message says why."""


def post(instance: Instance, path: str, **body: Any) -> Any:
    """What the notifier answers. Raises `Refused`, and `Unavailable` where it does not answer."""
    door = os.environ.get("IOC_NOTIFIER_DOOR")
    if not door and (stranger := instance.displaced("notifier")):
        raise Unavailable(f"the notifier cannot be asked: {stranger}; `ioc up` gives it another port")
    url = httpx.URL((door or f"http://127.0.0.1:{instance.ports['notifier']}") + path)
    head = {"Authorization": f"Bearer {instance.password('alarms')}"}
    try:
        answer = httpx.post(url, json=body, headers=head, timeout=WITHIN_SECONDS, trust_env=False)
    except httpx.HTTPError as error:
        where = f"{url.host}:{url.port}"
        raise Unavailable(
            f"the notifier does not answer at {where} ({error}); `ioc status` shows what runs, `ioc up` starts it"
        ) from None
    if answer.is_error:
        why = refusal(answer)
        raise Refused(why or f"the notifier answers {answer.status_code} {answer.reason_phrase}")
    return answer.json()
