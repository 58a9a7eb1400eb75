"""What `make bench` measures (issue 2, *Bench*): `python -m tests.bench [names...]`.

figures   a measured figure, its goal, the table, var/bench.jsonl
stage     processes: pinned, watched, always ended
services  Redis, receiver, worker, sink: how each is started and when it is ready
corpus    events, backlogs and signed requests
load      a load generator that keeps to a schedule; wrk.py drives wrk
receive drain memory cost   the measurements
programs/ what we are compared with
"""
