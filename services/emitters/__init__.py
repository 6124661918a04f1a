"""The doors for source systems: each one's words come in over HTTP and leave as typed events that are on disk."""
