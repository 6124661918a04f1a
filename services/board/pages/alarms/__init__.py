"""The page of alarms: its routes, what it reads, alike alarms as one row."""
