"""The map: its routes, what stands on it, the page around it, shapes of one's own."""
