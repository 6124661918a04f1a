"""Pages that stand alone: each is a module with a `PAGE`, and beside it a file of the same name with its words."""
