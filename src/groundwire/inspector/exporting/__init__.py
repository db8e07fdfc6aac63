"""Recorded exchanges as something to copy: commands, programs, tests, HAR."""
