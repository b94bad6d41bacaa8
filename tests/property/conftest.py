"""How the laws are tried: a busy machine is no failure, and a failing example is printed with what replays it."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "outlast", deadline=None, max_examples=60, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("outlast")
