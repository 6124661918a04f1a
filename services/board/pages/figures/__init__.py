"""The pages of figures: the wall, a system, one figure opened."""
