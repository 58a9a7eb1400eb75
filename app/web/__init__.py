"""Inbound HTTP: the receiver; and console/, the operators' pages.

`receiver.py` is one webhook's story, `group_commit.py` how events become event batches,
`shedding.py` when to refuse, `protocol.py` what the HTTP server itself does wrong for us,
`child.py` and `processes.py` how processes share one socket (`slot.py` keeps a child alive,
`rolling.py` renews all after a change). Nothing here imports Redis: the store is a port.
"""
