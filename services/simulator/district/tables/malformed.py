"""The careless source: now and then what it sends is no valid event, and must end in the quarantine."""

from __future__ import annotations

from datetime import datetime

from services.simulator.district.workflows import Life, Step, Workflow

_FORMS = (
    '{{"specversion": "1.0", "id": "{id}", "source": "/simulator/social/forum"',  # cut off
    '{{"specversion": "1.0", "id": "{id}", "source": "/simulator/social/forum", "type": "vn.ioc.mention.counted.v1", "time": "{time}", "unit": "{unit}", "data": {{}}}}',
    '{{"specversion": "1.0", "id": "{id}", "source": "/simulator/social/forum", "type": "vn.ioc.mention.aggregated.v1", "time": "{time}", "unit": "{unit}", "origin": "simulated", "data": {{"day": "{day}", "hour": 24, "source": "forum", "topic": "traffic", "tone": "neutral", "count": 3}}}}',
    '{{"specversion": "1.0", "id": "{id}", "source": "/simulator/social/forum", "type": "vn.ioc.mention.aggregated.v1", "time": "{time}", "unit": "{unit}", "origin": "simulated", "data": {{"day": "{day}", "hour": 0, "source": "forum", "topic": "traffic", "tone": "neutral"}}}}',
    '{{"specversion": "1.0", "id": "{id}", "source": "/simulator/social/forum", "type": "vn.ioc.mention.aggregated.v1", "time": "{time}", "unit": "xa_khong_co", "origin": "simulated", "data": {{"day": "{day}", "hour": 0, "source": "forum", "topic": "traffic", "tone": "neutral", "count": 1}}}}',
)
"""Cut off, of an unknown type, of an hour that no day has, without its count, from a unit that is not there."""


def _malformed(x: Life, t: datetime) -> bytes:
    values = {"id": x.code("EV"), "time": t.isoformat(), "unit": x.cohort.ward.unit, "day": t.date().isoformat()}
    return x.dice.pick(1, _FORMS).format(**values).encode()


COURSES = (Workflow("careless", "social", "people", (Step(_malformed),), often=1.5, door="forum", repeats=False),)
