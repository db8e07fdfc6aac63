"""What every test stands on: nothing but a warning that is not ours.

Fixtures live beside the tests that use them.
"""
