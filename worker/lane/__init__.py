"""What one connection's deliveries share: request batches filled across jobs, limits, a gate.

lane           `send`: messages in, one Outcome each out
request_batch  fills request batches from the messages of many jobs
delivery       one request batch's story: split, bisect, send alone
attempt        one request, and what its answer means for the lane
exchange       moves the bytes
gate           may the lane send at all? shared through Redis
allowance      how much may be sent now: leased from limits that all workers share
rate_limit     the same without Redis
"""

from worker.lane.allowance import SharedBudget
from worker.lane.attempt import LaneLimits, RequestWatch, TokenSource
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
