"""JSON records cut out of bytes as they come: one per line, or the elements of an array. Nothing is parsed here.

A line ends as on any system: LF, CR LF, or CR alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_BLANK = re.compile(rb"[ \t\r\n]*")
_BETWEEN = re.compile(rb"(?:[ \t\r\n\x1a]|\xef\xbb\xbf)*")
"""What may stand before a record outside of arrays: Windows marks the begin of a text, DOS its end."""
_LINE_END = re.compile(rb"\n|\r(?!\n)")
_OUTSIDE, _INSIDE = re.compile(rb'["\[\]{},]'), re.compile(rb'["\\]')
"""What can matter to the scanner outside and inside of a JSON string."""


class Record(NamedTuple):
    """One record as it was written, and the line on which it begins (from 1)."""

    line: int
    raw: bytes


class Splitter:
    """Cuts records out of chunks. One that is longer than `limit` is cut off behind it, so that its size is refused.

    What begins with `[` is an array until that closes, whatever its elements are; everything else is read as lines.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._text = b""
        self._start = 0  # of the record that is under way
        self._line = 1
        self._in_array = False
        self._elements = 0
        self._begin(0)

    def _begin(self, start: int) -> None:
        """A new record begins, with blanks perhaps."""
        self._start = self._scanned = start
        self._depth = self._cut_newlines = 0
        self._in_string = False

    def feed(self, chunk: bytes) -> Iterator[Record]:
        """The records that are complete with this chunk."""
        self._text += chunk
        while (record := self._next_element() if self._in_array else self._next_line()) is not None:
            if record.raw:
                yield record
        self._compact()

    def close(self) -> Iterator[Record]:
        """What is left at the end: a last line without an end, or an array that was never closed."""
        if (text := self._text.rstrip(b"\x1a")).strip(b"\r"):
            yield self._record(len(text))
        if self._in_array:
            yield Record(self._line, b"[")

    def _next_line(self) -> Record | None:
        """The next line that is not blank; of an array only its beginning, as an empty record."""
        self._skip(_BETWEEN)
        if self._text[self._start : self._start + 1] == b"[":
            self._in_array, self._elements = True, 0
            self._begin(self._start + 1)
            return Record(self._line, b"")
        end = self._end_of_line()
        if end is None:
            return None
        record = self._record(end)
        self._line += 1
        self._begin(end + 1)
        return record

    def _end_of_line(self) -> int | None:
        """Where the line ends: at a line feed, or at a carriage return without one behind; None: it is not there."""
        text, end = self._text, self._text.find(b"\n", self._scanned)
        alone = text.find(b"\r", self._scanned, end if end >= 0 else len(text))
        if 0 <= alone < len(text) - 1 and alone + 1 != end:
            return alone
        self._scanned = end if end >= 0 else alone if alone >= 0 else len(text)
        return end if end >= 0 else None

    def _next_element(self) -> Record | None:
        """The next element; empty for the nothing in `[]`, while an element missing between commas is a lone comma."""
        if self._scanned == self._start:
            self._skip(_BLANK)
        closing = self._scan()
        if closing is None:
            return None
        end = self._scanned - 1
        record = self._record(end)
        if not record.raw and (self._elements or not closing):
            record = record._replace(raw=b",")
        self._line += self._text.count(b"\n", self._start, end) + self._cut_newlines
        self._in_array, self._elements = not closing, self._elements + 1
        self._begin(end + 1)
        return record

    def _scan(self) -> bool | None:
        """Go on behind the end of the element, a comma (False) or the array's bracket (True); None: it is not there."""
        while found := (_INSIDE if self._in_string else _OUTSIDE).search(self._text, self._scanned):
            mark, self._scanned = found[0], found.end()
            if mark == b"\\":
                if self._scanned == len(self._text):
                    self._scanned -= 1
                    return None
                self._scanned += 1
            elif mark == b'"':
                self._in_string = not self._in_string
            elif mark in b"[{":
                self._depth += 1
            elif mark in b"]}":
                self._depth -= 1
                if self._depth < 0:
                    return True
            elif self._depth == 0:
                return False
        self._scanned = len(self._text)
        return None

    def _skip(self, blanks: re.Pattern[bytes]) -> None:
        blank = blanks.match(self._text, self._start)
        assert blank is not None
        end = blank.end()
        if end == len(self._text) and self._text.endswith(b"\r", self._start):
            end -= 1  # whether a line feed follows is not known yet
        self._line += len(_LINE_END.findall(self._text, self._start, end))
        self._start, self._scanned = end, max(self._scanned, end)

    def _record(self, end: int) -> Record:
        return Record(self._line, self._text[self._start : min(end, self._start + self._limit + 1)])

    def _compact(self) -> None:
        """Forget what is done, and what is too much: of a line its end, of an element its middle, once scanned."""
        kept = min(self._scanned, self._start + self._limit + 1)
        self._cut_newlines += self._text.count(b"\n", kept, self._scanned)
        self._text = self._text[self._start : kept] + self._text[self._scanned :]
        self._start, self._scanned = 0, kept - self._start
