"""Drills: minutes of trouble against real processes, each ending in one line of JSON.

    python -m tests.drills throttle --limit 300 --seconds 90
    python -m tests.drills outage --seconds 120 --rate 500
    python -m tests.drills beside --seconds 20 --rate 50
    python -m tests.drills credentials --seconds 300 --rate 100
    python -m tests.drills connect

They measure; what must hold is asserted in tests/e2e/test_lanes.py
and tests/connect/test_kills.py.
"""
