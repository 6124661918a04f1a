"""The live board: what operators watch, open to its source and work off, in a browser."""
