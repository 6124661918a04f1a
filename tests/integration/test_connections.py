"""How services connect to the database: a host that vanishes without a word is missed within seconds."""

from __future__ import annotations

import asyncio

from infra.local.servers import Instance
from services.centre.prepare import settings_of
from services.kit import store
from services.kit.settings import Settings


def test_every_connection_has_its_timeouts(centre: Instance) -> None:
    settings = settings_of(centre, "cli")

    async def pooled() -> dict[str, str]:
        async with store.pool(settings, "aggregator") as pool, pool.connection() as conn:
            return conn.info.get_parameters()

    with store.connect(settings, "reader") as conn:
        for told in (conn.info.get_parameters(), asyncio.run(pooled())):
            assert {name: int(told[name]) for name in store.TIMEOUTS} == store.TIMEOUTS


def test_the_operators_own_timeouts_win() -> None:
    url = "postgresql://ioc_reader:x@first:5432,second:5433/ioc?tcp_user_timeout=60000&keepalives=0"
    told = store.conninfo(Settings(database_url=url), "reader").split()
    assert {"host=first,second", "port=5432,5433", "tcp_user_timeout=60000", "keepalives=0"} <= set(told)
    assert "keepalives_idle=2" in told and "tcp_user_timeout=4000" not in told
