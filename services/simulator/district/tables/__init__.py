"""What happens in the district, system by system: rows of courses and the makers of their events."""

from services.simulator.district.courses import Course
from services.simulator.district.tables import (
    careless,
    economy,
    education,
    field,
    gis,
    health,
    procedures,
    security,
    social,
)

COURSES: tuple[Course, ...] = tuple(
    course
    for module in (procedures, economy, education, health, gis, security, field, social, careless)
    for course in module.COURSES
)
"""All of them; the place in it is a course's number in the codes of its lives."""
