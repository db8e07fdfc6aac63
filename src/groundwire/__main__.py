"""`python -m groundwire`: the same as the command `groundwire`."""

from .cli import main

if __name__ == "__main__":
    main()
