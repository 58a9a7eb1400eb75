"""Sluice: Customer.io's message events, in Adobe Experience Platform, each once.

core/       pure: events, frames, retry, mapping engine, XDM check, pace, what an answer means
settings/   the only reader of the environment and of config files
store/      Redis: batches and the open set, claims, dead letters, ledger, traces, lanes, samples,
            replay runs, what Platform said later, the console's users and the audit trail
adobe/      outbound to Adobe: IMS tokens, and Platform's services, one client each
customerio/ outbound to Customer.io: its App API
connect/    both ends of a connection set up by one command
operations/ what operators do, for the command, the pages and the console's API alike
web/        inbound: the receiver, and the operators' console
cli/        the `sluice` command, one file per noun
sandbox/    stand-ins for Platform and Customer.io, with faults on demand
worker/     (beside app/) takes event batches from the queue and delivers them

design.md: words, one event's way, what must always hold. adobe/platform.md and
customerio/customerio.md: what the vendors really do, with sources; comments cite all three.
"""
