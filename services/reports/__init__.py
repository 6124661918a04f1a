"""Reports: the month's report as one tree of content, made of readings alone, and its writers."""
