"""`python -m flask`: Flask's command line."""

from .cli import main

main()
