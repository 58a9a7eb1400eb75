"""Flow Service (`/data/foundation/flowservice`): platform.md sections 1.1, 1.4, 1.6 to 1.11.

routes.py       its paths
specs.py        connection specs and flow specs, which nobody can change
listing.py      lists: filters, order, pages; runs.py of the gateway lists like this too
connection.py   what a base, source or target connection must say
connections.py  the calls about these three
flow.py         one flow, and how it shows
wiring.py       what a flow joins, and every reason why it may not
flows.py        the calls about flows
actions.py      enable and disable, and the states on the way
"""
