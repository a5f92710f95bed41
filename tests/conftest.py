"""How hypothesis runs: no example has a deadline, for how long one takes tells more of the machine than of the code."""

from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
