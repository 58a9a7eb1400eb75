"""What Platform says happened later: `200` only means *received* (platform.md section 2.4).

On a schedule, by one worker at a time per connection: flow runs, counters, failed batches and their
files. What was refused on the way to the lake becomes a dead letter; how many landed is written
down, for `sluice ledger` to compare. Nothing here touches delivery, and delivery nothing here.

platform     the services of one connection's Platform
look         one look, from the runs to the last failed file
burying      the lines of a failed file, tied to their events and buried
loop         when to look, and what is said of it
reconcilers  those of all connections, which come and go
"""

from worker.reconcile.loop import Reconciler, open_reconciler
from worker.reconcile.reconcilers import Reconcilers

__all__ = ["Reconciler", "Reconcilers", "open_reconciler"]
