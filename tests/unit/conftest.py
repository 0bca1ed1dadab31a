"""What every unit test shares: hypothesis without a clock or chance, so that no verdict depends on load."""

from hypothesis import settings

settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.load_profile("repeatable")
