"""What is secret in a recorded message, hidden with as many octets as it had."""
