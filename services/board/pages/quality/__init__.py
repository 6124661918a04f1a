"""The page of data quality and of the quarantine."""
