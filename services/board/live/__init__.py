"""What all pages share while they are open: the state that is read once for all, caches, the way to the database."""
