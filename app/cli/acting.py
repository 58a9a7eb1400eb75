"""Who acts at a command line, for the audit trail."""

from __future__ import annotations

import getpass


def operator() -> str:
    """The name of whoever types, as far as the machine knows it."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):
        # A container's user need not have a name.
        return "cli"
