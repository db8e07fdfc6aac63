"""What every test stands on: nothing but a warning that is not ours.

Fixtures live beside the tests that use them.
"""

from hypothesis import settings

# How long one example takes depends on what else the machine does; tests of cost measure processor time themselves.
settings.register_profile("groundwire", deadline=None)
settings.load_profile("groundwire")
