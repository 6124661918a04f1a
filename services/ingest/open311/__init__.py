"""Open311 GeoReport v2: programs of citizens report, and see what becomes of reports, in the words of that standard."""
