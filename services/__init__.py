"""One package per service; `kit` is what they share."""
