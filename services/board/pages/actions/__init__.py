"""What people do about rows of a list, and how each row's outcome is told."""
