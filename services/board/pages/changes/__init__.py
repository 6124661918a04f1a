"""What changed since a moment."""
