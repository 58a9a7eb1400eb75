"""`sluice doctor`, `sluice check-config`: is everything as it must be? Each fault with its fix.

command        the two commands      page        what they print
finding        what a check says     registry    all checks, in order
ground         what they stand on    examining   runs them, each within its time

One file per subject, with small functions that look and say:
configuration · server (Redis), mounts · storage, signing_keys · processes, console, backlog
receiver, signatures, lane, dead_letters, lake, inlet · credentials, objects, flow · webhook
"""

from app.cli.doctor.command import check_config, doctor

__all__ = ["check_config", "doctor"]
