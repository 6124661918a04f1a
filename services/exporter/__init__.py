"""Reads every figure on a timer and gives it out as metrics, with how fresh it is and how the platform itself does."""
