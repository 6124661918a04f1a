"""What every service needs: settings, bus, store, clock, logs, health and the catalogue of its own metrics."""
