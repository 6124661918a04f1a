"""The letter Đ, and the Icelandic Ð that looks like it, which converters of old fonts put in its place."""

LOOKALIKES = str.maketrans("Ðð", "Đđ")
"""Gives Vietnamese its own letter."""
BARE = str.maketrans("ĐđÐð", "DdDd")
"""Leaves the bar out, which no normal form of Unicode does."""
