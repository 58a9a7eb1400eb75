"""The crash suite: real processes under load, a seeded driver that breaks them, and a judge.

oracle.py   a process that sends webhooks and writes down what was acknowledged; never harmed
stage.py    Redis, `sluice up`, one more worker and the sandbox, with a proxy between each two
plan.py     what is broken, when and how: the same seed, the same plan
faults.py   how it is broken, and made whole again (with points.py, redis.py, proxy.py)
judge.py    what must be true afterwards, found without our own ledger
leaks.py    memory and descriptors of everything that lives long enough
run.py      all of it in order; `python -m tests.crash.chaos` is `make crash`
"""
