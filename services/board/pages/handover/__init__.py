"""A shift that is handed over, and who is on call."""
