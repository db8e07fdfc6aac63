"""Speed, measured beside the kernel's own price: `make bench`, or ``python -m benchmarks --help``."""
