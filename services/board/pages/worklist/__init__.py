"""The worklist, a case opened, and the letters and actions about it."""
