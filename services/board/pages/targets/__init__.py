"""The page of targets: what is to be reached, by unit and for which days, set by those allowed."""
