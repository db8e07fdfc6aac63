"""Files of exchanges and of requests."""
