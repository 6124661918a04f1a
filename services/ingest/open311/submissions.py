"""A report as a program posts it, read as far as an event may hold it. Pure.

What is of a person is dropped here, and only counted; words of a citizen's are not kept, and the answer says so.
"""

from __future__ import annotations

import json
import re
import secrets
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import blake2b
from typing import Any
from urllib.parse import parse_qsl

from schemas import personal
from schemas.indicators.label_texts import Text
from schemas.keys import Bounds
from schemas.text.letters import bare
from services.ingest.open311 import catalogue, queries
from services.ingest.router import Refused, in_utf8

MARK = "Idempotency-Key"
"""The header that may name the program's own mark of a sending."""
KIND = "application/x-www-form-urlencoded"
LARGEST = 64 * 2**10
MOST_FIELDS = 100
LONGEST_PLACE, LONGEST_MARK, LONGEST_ADDRESS = 120, 200, 500
OF_A_PERSON = ("email", "device_id", "account_id", "first_name", "last_name", "phone")
KEPT = ("api_key", "jurisdiction_id", "service_code", "lat", "long", "address_string", "media_url")
"""The standard's fields that are looked at."""
KNOWN = frozenset({*KEPT, *OF_A_PERSON, "address_id", "description", "locale"})
_ATTRIBUTES = {f"attribute[{asked.code}]": asked.code for asked in catalogue.ATTRIBUTES}
_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
"""Of which numbers are made, see `schemas.codes.OPEN311`: no vowels, so no words, and no digits, so nobody's number."""

NOT_KEPT = Text(
    "Nội dung mô tả không được lưu: trung tâm chỉ giữ loại việc, địa điểm công cộng và thời điểm.",
    "The description is not kept: this centre keeps the kind, the public place and the time alone.",
)
IT_WAS_PERSONAL = Text(
    "Trong mô tả có thông tin cá nhân; đừng gửi thông tin đó.", "It held personal data; do not send such."
)
PERSON_DROPPED = Text("Thông tin về người gửi không được lưu.", "What was said of the sender is not kept.")
PLACE_DROPPED = Text(
    "Địa chỉ không được lưu: chỉ giữ tên nơi công cộng, không giữ địa chỉ nhà.",
    "The address is not kept: only the name of a public place is, no home address.",
)
PHOTO_DROPPED = Text(
    "Ảnh không được lưu: chỉ giữ địa chỉ https:// của ảnh, không có số của người nào trong đó.",
    "The photo is not kept: only its https:// address is, with no number of a person in it.",
)
PHOTO_AWAY = Text(
    "Chưa lưu được địa chỉ ảnh; nếu có Idempotency-Key, hãy gửi lại y như vậy.",
    "The photo's address could not be kept now; with an Idempotency-Key, send the same again.",
)
MAYBE_KNOWN = Text(
    "Gần đó đã có phản ánh cùng loại đang xử lý: {}.", "Nearby there is a report of that kind in progress: {}."
)


@dataclass(frozen=True)
class Submission:
    """A report in the words of the event. `mark`: the program's own for this sending; `dropped`: the fields of a person
    that it held; `notices`: what the sender is told of what is not kept; `photo`: where one lies, by the sender."""

    unit: str
    data: dict[str, Any]
    mark: str
    dropped: tuple[str, ...]
    notices: tuple[Text, ...]
    photo: str | None = None

    def seed(self, key: str) -> bytes:
        """What its number is made of: chance, or of a report with a mark the key, the mark and what it says."""
        if not self.mark:
            return secrets.token_bytes(16)
        said = json.dumps([key, self.mark, self.unit, self.data], sort_keys=True)
        return blake2b(said.encode(), digest_size=16).digest()


def number(day: date, seed: bytes) -> str:
    """The number of a report that came in on a local day."""
    return f"PA-{day:%y%m%d}-" + "".join(_LETTERS[byte % len(_LETTERS)] for byte in seed)


def fields(body: bytes, kind: str = KIND) -> dict[str, str]:
    """The fields of a form, empty ones left out; `Refused` where it is none."""
    if body and kind.partition(";")[0].strip().lower() != KIND:
        raise Refused(400, "bad_form", f"Content-Type: send a form as {KIND}; of a photo its address, as media_url")
    body = in_utf8(body, "bad_form")
    try:
        pairs = parse_qsl(body.decode(), strict_parsing=bool(body.strip()), max_num_fields=MOST_FIELDS, errors="strict")
    except ValueError:
        raise Refused(400, "bad_form", f"the body is no form in UTF-8 with at most {MOST_FIELDS} fields") from None
    said = {name: value.strip() for name, value in pairs if value.strip()}
    if len({name for name, _ in pairs}) < len(pairs):
        raise Refused(400, "bad_form", "a field is given twice; send it once")
    return said


def read(said: Mapping[str, str], bounds: Bounds, mark: str = "") -> Submission:
    """A report as the event holds it. `mark`: the program's own for this sending, where no attribute names one."""
    if strangers := [name for name in said if name not in KNOWN and name not in _ATTRIBUTES]:
        raise Refused(400, "bad_form", *(f"{name}: is not expected here" for name in strangers[:20]))
    attributes = {_ATTRIBUTES[name]: value for name, value in said.items() if name in _ATTRIBUTES}
    mark = attributes.pop("client_id", mark)
    if len(mark) > LONGEST_MARK:
        raise Refused(400, "bad_form", f"client_id: has more than {LONGEST_MARK} characters")
    place = public_place(said.get("address_string", ""))
    where = _coordinates(said) | ({"place": place} if place else {})
    if not where:
        raise Refused(
            400, "no_place", "lat and long, or an address_string that names a public place and no home, are needed"
        )
    data = {"channel": "app", "category": _category(said), **_chosen(attributes), **where}
    dropped = tuple(name for name in OF_A_PERSON if name in said)
    photo = _photo(said.get("media_url", ""))
    notices = [*_notices(said, dropped, place), *([PHOTO_DROPPED] if "media_url" in said and not photo else [])]
    return Submission(_unit(said, bounds), data, mark, dropped, tuple(notices), photo)


def _photo(address: str) -> str | None:
    """Where a photo lies; None where that is no address that everybody may read."""
    fits = len(address) <= LONGEST_ADDRESS and _ADDRESS.fullmatch(address) and not personal.find(address)
    return address if fits else None


_ADDRESS = re.compile(r"https://[a-z0-9.-]+(?::\d{1,5})?/[!-~]*", re.IGNORECASE)


def public_place(text: str) -> str | None:
    """The text, where it names a public place; None where it may be a home or holds what is of a person."""
    text = unicodedata.normalize("NFC", " ".join(text.split()))
    home = _HOME.search(_NUMBERED.sub("x", bare(text)))
    fits = 0 < len(text) <= LONGEST_PLACE and not home and not personal.find(text)
    return text if fits else None


_NUMBERED = re.compile(
    r"\b(?:duong|pho|lo|cau|cong|cot|tru|ap|thon|to|khu|truong|hem|ngo|ngach|kiet|km|cho|tram)(?: so)? \d+\w*(?:/\d+)*"
)
"""What bears a number in public: *đường số 7*, *quốc lộ 13*, *khu phố 3*, *cột 15*."""
_HOME = re.compile(
    r"(?:^|[,;])\s*\d+[a-z]?(?:\s*[/-]\s*\d+[a-z]?)*\s*,?\s+[a-z]|\bso (?:nha\b|\d)"
    r"|\bnha (?:so|rieng|ong|ba|anh|chi|co|chu|bac|em|toi)\b|\bcan ho\b|\bphong (?:so )?\d"
)
"""How the address of a home begins (*12/3A Nguyễn Huệ*, *số nhà 5*), or whose home it is."""


def _coordinates(said: Mapping[str, str]) -> dict[str, float]:
    given = [name for name in ("lat", "long") if name in said]
    if len(given) == 1:
        raise Refused(400, "bad_form", f"{given[0]}: send lat and long, or neither")
    found = {}
    for name, field in zip(given, ("latitude", "longitude"), strict=False):
        if not re.fullmatch(r"-?\d{1,3}(?:\.\d{1,20})?", said[name]):
            raise Refused(400, "bad_form", f"{name}: is no number of degrees, as in 11.41237")
        found[field] = round(float(said[name]), 5)
    return found


def _category(said: Mapping[str, str]) -> str:
    if "service_code" not in said:
        raise Refused(400, "bad_form", f"service_code: is missing; there are {', '.join(catalogue.CODES)}")
    return queries.service(said["service_code"])


def _chosen(attributes: Mapping[str, str]) -> dict[str, str]:
    for asked in catalogue.ATTRIBUTES:
        if asked.values and attributes.get(asked.code, next(iter(asked.values))) not in asked.values:
            raise Refused(400, "bad_form", f"attribute[{asked.code}]: there are {', '.join(asked.values)}")
    return dict(attributes)


def _unit(said: Mapping[str, str], bounds: Bounds) -> str:
    if code := said.get("jurisdiction_id"):
        return queries.known(code)
    if len(bounds.units) == 1:
        return bounds.units[0]
    ours = ", ".join(bounds.units) or "every unit"
    raise Refused(400, "no_unit", f"jurisdiction_id: is missing; the key reports {ours}, so name the unit's code")


def _notices(said: Mapping[str, str], dropped: Sequence[str], place: str | None) -> list[Text]:
    found = [NOT_KEPT] if "description" in said else []
    if personal.find(said.get("description", "")):
        found.append(IT_WAS_PERSONAL)
    if dropped:
        found.append(PERSON_DROPPED)
    if ("address_string" in said and not place) or "address_id" in said:
        found.append(PLACE_DROPPED)
    return found
