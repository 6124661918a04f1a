"""The page of reports: made, kept as issues, seen, downloaded, verified; and each month's at its time."""
