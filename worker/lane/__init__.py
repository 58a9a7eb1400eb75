"""What one connection's deliveries share: request batches filled across jobs, limits, a gate.

lane           `send`: messages in, one Outcome each out
request_batch  fills request batches from the messages of many jobs
delivery       one request's story: attempt, split, bisect, send alone
exchange       moves the bytes
gate           may the lane send at all? shared through Redis
allowance      how much may be sent now: leased from limits that all workers share
rate_limit     the same without Redis
"""

from worker.lane.allowance import SharedBudget
from worker.lane.delivery import LaneLimits, RequestWatch, TokenSource
from worker.lane.gate import LaneStates
from worker.lane.lane import Lane, Room

__all__ = [
    "Lane",
    "LaneLimits",
    "LaneStates",
    "RequestWatch",
    "Room",
    "SharedBudget",
    "TokenSource",
]
