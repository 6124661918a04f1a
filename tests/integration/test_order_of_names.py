"""The database sorts names as Python does."""

from __future__ import annotations

import psycopg
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.local.servers import Instance
from schemas import units
from schemas.text.collation import LETTERS, key
from services.centre.prepare import settings_of

_SORTED = "SELECT n FROM unnest(%s::text[]) n ORDER BY string_to_array(lower(n), ' ') COLLATE vietnamese, n"
_NAME = st.lists(st.text("ăâàáạđĐêơữTaA19 ", min_size=1, max_size=5).map(str.strip), min_size=1, max_size=3).map(
    " ".join
)


def test_python_and_sql_have_one_order(centre: Instance) -> None:
    with psycopg.connect(settings_of(centre, "cli").database("reader")) as conn:

        def in_sql(names: list[str]) -> list[str]:
            return [name for (name,) in conn.execute(_SORTED, [names]).fetchall()]

        names = sorted(
            {unit.name_vi for unit in units.every()} | set(LETTERS) | {"Khu phố 10", "Khu phố 2", "lá", "là"}
        )
        assert in_sql(names) == sorted(names, key=key)

        @settings(max_examples=60, deadline=None)
        @given(st.lists(_NAME, max_size=12, unique=True))
        def any_names(some: list[str]) -> None:
            assert in_sql(some) == sorted(some, key=key)

        any_names()
