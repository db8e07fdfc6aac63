"""Layer 3: sockets, clocks and processes. Knows `Handler`, and nothing of the application behind it."""
