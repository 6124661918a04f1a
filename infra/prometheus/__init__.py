"""What Prometheus watches, and the generator of its rules."""
