"""The database: its configuration, its roles and its migrations."""
