"""Every way in: source systems' own words over HTTP, CloudEvents from a file or a pipe. They leave as typed events that
are on disk."""
