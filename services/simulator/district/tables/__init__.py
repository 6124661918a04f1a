"""What happens in the district, system by system: rows of courses and the makers of their events."""

from services.simulator.district.tables import (
    economy,
    education,
    field,
    gis,
    health,
    malformed,
    procedures,
    security,
    social,
)
from services.simulator.district.workflows import Workflow

_MODULES = (procedures, economy, education, health, gis, security, field, social, malformed)
COURSES: tuple[Workflow, ...] = (*(course for module in _MODULES for course in module.COURSES), *procedures.AT_FIRST)
"""All of them; the place in it is a course's number in the codes of its lives."""
