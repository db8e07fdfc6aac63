"""What is recorded of each exchange, and for how long."""
