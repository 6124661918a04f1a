"""The page of index 766."""
