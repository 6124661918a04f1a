"""The language of the centre: pure data and pure functions, no I/O, nothing of ours imported."""
