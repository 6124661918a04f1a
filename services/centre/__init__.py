"""One running centre: made ready, started, looked at, filled, saved, brought back."""
