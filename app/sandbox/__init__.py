"""Stand-ins for the two vendors, written from their references and never from our own clients.

defaults.py     the ids that the example connection repeats
config.py       what a sandbox is told at start
server.py       make_app: the sandbox Platform, and Customer.io, as one aiohttp application
platform/       what Adobe answers: IMS, collection endpoints, validation (platform.md 2 and 3)
lake/           what became of what was received: micro-batches, failed lines, counters
gateway/        what Adobe says about that: flow runs, batches, files, metrics (platform.md 6)
plane/          what setting up a dataflow made, and the APIs that do: flowservice/, registry/,
                catalog/, dataprep/, identity/ (platform.md 1, 4.1, 5)
control/        what only a sandbox has: faults on demand, reading back what arrived and was asked
customerio/     what Customer.io sends: kinds, fields, the sender (customerio.md 1 to 9); appapi/:
                its App API (10)
keeping.py      the control plane in a file, from one run to the next
compact.py      JSON that is kept for long
traffic.py      generate: bodies for tests, bench and `sluice send`
"""
