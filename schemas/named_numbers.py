"""Numbers of persons that are known by the name before them, in folded texts: `CMND 285123456`, `STK 0071001234567`.

Each pattern has one group, the number without its name.
"""

from __future__ import annotations

import re

WIDEST = 12
"""So many characters may stand between two digits of one number."""
GAP = rf"[\W_]{{0,{WIDEST}}}"
YEAR = r"(?:19|20)\d\d"
_BETWEEN = r"[\W_]{0,3}"
"""Between the words of a name."""
LABEL = re.compile(
    rf"cmnd|cmt|cccd|can{_BETWEEN}cuoc|chung{_BETWEEN}minh|inh{_BETWEEN}danh|ho{_BETWEEN}chieu|passport|bhyt|bhxh"
    rf"|bao{_BETWEEN}hiem|bien{_BETWEEN}[sk]|bks|mst|so{_BETWEEN}thue|tax{_BETWEEN}[cin]|stk|so{_BETWEEN}tk|tai{_BETWEEN}khoan"
    rf"|tk{_BETWEEN}ngan|account|iban|sdt|dt[ .:]|ien{_BETWEEN}thoai|phone|tel|mobile|zalo|so{_BETWEEN}may"
    "|a cong| at "
)
"""Words that say what the number behind them is, or that stand for @."""
_DIGITS_OF_A_DOCUMENT = rf"[A-Za-z]{{0,2}}\d(?:{GAP}\d){{6,14}}(?!\d)"
_NO_FIGURE = rf"(?!\d{{1,3}}(?:[.,]\d{{3}})+(?![.,]?\d)|{YEAR}\s{{0,2}}[:(])"
"""No count in thousands, and no year before one."""
_START, _END = r"(?<![^\W\d_])", r"(?![^\W\d_])"
"""A name ends at a digit or a `_` too, as in the name of a file."""
_UP_TO = r"[^\d,;]{0,24}?(?<![0-9A-Za-z])"


def _named(names: str, number: str) -> re.Pattern[str]:
    """A number behind one of these names, of which a space may be missing or another mark."""
    return re.compile(f"{_START}(?:{names.replace(' ', _BETWEEN)}){_END}{number}", re.IGNORECASE)


_NAMED_PLATE = _named(
    "bien (?:so|kiem soat)(?: xe)?|bks", r"[\W_]{0,3}((?=[\w.\- ]{0,11}\d)[0-9A-Z]{2}[0-9A-Z.\- ]{2,9}\d)"
)
_NAMED_DOCUMENT = _named(
    "cmnd|cmtnd|cmt|cccd|cc|can cuoc|chung minh|dinh danh|ho chieu|passport|bhyt|bhxh",
    rf"(?:\W{{0,3}}(?:9|12)\s+(?:chu\s+)?so\b)?(?:{_UP_TO})?({_NO_FIGURE}{_DIGITS_OF_A_DOCUMENT})",
)
_NAMED_INSURANCE = _named("bao hiem", rf"{_UP_TO}({_NO_FIGURE}(?:[A-Z]{{2}}[ .\-]?)?\d(?:[ .\-]?\d){{9,12}})(?!\d)")
_NAMED_TAX_CODE = _named(
    "mst|ma so thue|tax (?:code|id|number|no)", r"[^\d,;]{0,24}?(8(?:[ .\-]?\d){9}(?:[ \-]?\d{3})?)(?!\d)"
)
"""Of a person: those of firms begin with their province."""
_NAMED_ACCOUNT = _named(
    "stk|so tk|tk ngan hang|(?:so )?tai khoan|account|iban",
    rf"(?!\s+kho\s+bac){_UP_TO}({_NO_FIGURE}\d(?:[ .\-]?\d){{8,18}})(?!\d)",
)
_NAMED_PHONE = _named("s?dt|dien thoai|phone|tel|mobile|zalo|so may", rf"[\W_]{{0,4}}([35789](?:{GAP}\d){{8}})(?!\d)")
PLATES, PHONES, ACCOUNTS = (_NAMED_PLATE,), (_NAMED_PHONE,), (_NAMED_ACCOUNT,)
DOCUMENTS = (_NAMED_DOCUMENT, _NAMED_INSURANCE, _NAMED_TAX_CODE)
