"""What every page is made of: its frame, words, markup, lists, drawings; and what a screen without login may show."""
