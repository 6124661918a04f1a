"""Tells when something is due: finds the dossiers and reports whose notice is owed, and publishes it as an event."""
