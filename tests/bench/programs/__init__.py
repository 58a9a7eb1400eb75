"""Processes that Sluice is compared with. Each runs by `python -m` and says what it measured."""
