"""How things are written: dates that people type, files that they send, names in Vietnamese order."""
