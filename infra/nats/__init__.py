"""The message broker: its configuration and who may say what on it."""
