"""Outbound to Adobe's control plane. Today: IMS tokens.

Nothing here knows Redis: what must be shared between processes comes in through a small port.
"""
