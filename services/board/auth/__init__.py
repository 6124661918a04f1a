"""Who enters and what is kept of it: accounts, log-in, the door that asks every request, the audit."""
