"""What Alertmanager posts, and the alarms it means. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple, get_args

from pydantic import BaseModel, ConfigDict, TypeAdapter

from schemas.envelope import Origin
from schemas.personal import mask
from services.notifier.alarm import NAMES, PLATFORM, RANKS, SEVERITIES, Key, Raise, Severity, dashboard

WATCHDOG = "Watchdog"
_COMMON = frozenset({"alertname", "severity", "system"})
"""Labels that do not tell two alerts of one name apart."""


class _Sent(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Labelled(_Sent):
    labels: dict[str, str]


class Alert(_Labelled):
    """One alert of a payload."""

    status: Literal["firing", "resolved"]
    annotations: dict[str, str] = {}


_LISTED = TypeAdapter(list[_Labelled])


class Payload(_Sent):
    """The body of the webhook, version 4."""

    version: Literal["4"]
    alerts: list[Alert]


class ResolvedAlert(NamedTuple):
    """An alert that ended: the warning's end is not the end of an alarm that has become critical."""

    key: Key
    severity: Severity


class PayloadContent(NamedTuple):
    """What a payload says. `watchdog`: whether it fires; None: the payload is not about it."""

    raised: list[Raise]
    over: list[ResolvedAlert]
    watchdog: bool | None


def understand(payload: Payload) -> PayloadContent:
    """The alarms that a payload raises or ends, and what it says of the Watchdog."""
    alarms = [alert for alert in payload.alerts if alert.labels.get("alertname") != WATCHDOG]
    watchdog = [alert.status == "firing" for alert in payload.alerts if alert.labels.get("alertname") == WATCHDOG]
    return PayloadContent(
        [_raise(alert) for alert in alarms if alert.status == "firing"],
        [ResolvedAlert(_key(alert), _severity(alert)) for alert in alarms if alert.status == "resolved"],
        any(watchdog) if watchdog else None,
    )


def active(listed: bytes) -> Mapping[Key, int]:
    """What goes on by Alertmanager's own list (`GET /api/v2/alerts`), told or not: the rank of the gravest alert of
    each key; raises `ValidationError` for what is no such list."""
    found: dict[Key, int] = {}
    for alert in _LISTED.validate_json(listed):
        found[_key(alert)] = max(found.get(_key(alert), 0), RANKS[_severity(alert)])
    return found


def _key(alert: _Labelled) -> Key:
    """What tells the alert apart: all labels but those that all alerts of the name share."""
    apart = [f"{name}={mask(value)}" for name, value in sorted(alert.labels.items()) if name not in _COMMON]
    return Key(",".join(apart) or "all", mask(alert.labels.get("alertname", "unnamed")))


def _severity(alert: _Labelled) -> Severity:
    return next((name for name in SEVERITIES if name == alert.labels.get("severity")), "warning")


def _raise(alert: Alert) -> Raise:
    # Whoever may post to Alertmanager may write anything into an alert.
    labels, key = alert.labels, _key(alert)
    texts = {name: mask(text) for name, text in alert.annotations.items()}
    system, unit = labels.get("system", ""), mask(labels.get("unit", "all"))
    system = system if system in NAMES else PLATFORM
    # Rules that are not ours may have one text for all, as is the habit.
    plain = texts.get("summary") or texts.get("description") or key.type
    return Raise(
        way="rule",
        originator=key.originator,
        type=key.type,
        severity=_severity(alert),
        system=system,
        unit=unit,
        origin=labels["origin"] if labels.get("origin") in get_args(Origin) else "real",
        vi=texts.get("summary_vi", plain),
        en=texts.get("summary_en", plain),
        do_vi=texts.get("action_vi", ""),
        do_en=texts.get("action_en", ""),
        dashboard=texts.get("dashboard_url", dashboard(system, unit)),
    )
