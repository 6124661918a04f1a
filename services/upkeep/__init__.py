"""Keeps the database in bounds: forgets what lies before the horizon, compresses old chunks, measures what is kept."""
