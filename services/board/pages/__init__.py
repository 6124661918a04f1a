"""The pages, each with its routes, query and view together. One that stands alone is a module with a `PAGE`, and beside
it a file of the same name with its words; the others lie in folders."""
