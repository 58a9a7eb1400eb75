"""Redis: the only importer of redis, and of arq on the sending side.

Every Redis fault leaves this package as StoreUnavailable.
"""
