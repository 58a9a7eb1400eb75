"""All Redis names. No other Python file spells a key; scripts get theirs as arguments.

Nothing here has a lifetime but where it says so: an acknowledged event has no other way out of
Redis than design.md section 4.1. The scripts build batch and claim keys from prefixes, so Sluice
wants one Redis, not a Redis Cluster.
"""

from __future__ import annotations

from typing import Final

# arq's own queue: sorted set of job ids. Bells only; losing it loses nothing.
ARQ_QUEUE: Final = "sluice:bell"

# Prefix of `sluice:batch:{batch id}`: string, the frame of one event batch.
BATCH_PREFIX: Final = "sluice:batch:"

# Sorted set: batch id -> Redis time in ms at which it must be dispatched (again).
OPEN_SET: Final = "sluice:open"

# Hash: batch id -> "owner lease_until_ms takes", for batches that were ever taken.
HELD: Final = "sluice:held"

# Prefix of `sluice:done:{batch id}`: set of positions that Platform has taken. Dies with the batch.
DONE_PREFIX: Final = "sluice:done:"

# String: the latest Redis time in ms that a sweep has seen, so that one set back is noticed.
CLOCK: Final = "sluice:clock"

# Counter: events in the open set (what the batch ids there add up to).
BACKLOG: Final = "sluice:backlog"

# Counters: the last batch number and the last dead letter number given out.
BATCH_NUMBER: Final = "sluice:number:batch"
DEAD_NUMBER: Final = "sluice:number:dead"

# Prefix of `sluice:trace:{batch number / 64}`: hash, batch number -> what became of it; expires.
TRACE_PREFIX: Final = "sluice:trace:"

# Prefix of `sluice:worker:{owner}`: string, a worker's sign of life; expires.
WORKER_PREFIX: Final = "sluice:worker:"

# Sorted set: "role name" of a process at work -> Redis ms at which it was seen last.
ALIVE: Final = "sluice:alive"

# Prefix of all that is kept of dead letters; what lies where: scripts/parts/dead_terms.lua.
DEAD: Final = "sluice:dead:"

# Hash: dead letter number -> payload, or where it was spilled to.
DEAD_PAYLOADS: Final = "sluice:dead:payloads"

# Hash: dead letter number -> edit; the payload stays as it came.
DEAD_EDITS: Final = "sluice:dead:edits"

# Hash: connection -> its dead letters. String: bytes of all payloads.
DEAD_COUNTS: Final = "sluice:dead:counts"
DEAD_BYTES: Final = "sluice:dead:bytes"

# Hash: number of a spill file -> letters that are in it and nowhere else. Counter: the last number.
DEAD_FILES: Final = "sluice:dead:files"
DEAD_FILE_NUMBER: Final = "sluice:dead:number:file"

# Sorted sets: fingerprint -> ms of the last death, and -> letters; a group stays when its letters
# are gone (until the keeper forgets it).
DEAD_GROUPS_LAST: Final = "sluice:dead:groups:last"
DEAD_GROUPS_LIVE: Final = "sluice:dead:groups:live"

# Sorted set: the blocks of 512 numbers that have letters.
DEAD_BLOCKS: Final = "sluice:dead:blocks"

# String: 32 random bytes, the key for the tokens of people (core/dead_letter/about.py).
DEAD_PERSON_KEY: Final = "sluice:dead:key"

# String: the worker that looks after the dead letter store; expires.
DEAD_KEEPER: Final = "sluice:dead:keeper"

# Hash: dead letter number -> summary as releases before fingerprints wrote it; is emptied.
OLD_DEAD_SUMMARIES: Final = "sluice:dead:summaries"


def dead_group(fingerprint: str) -> str:
    """Hash: a cause, when it was seen first and last, what is affected, notes."""
    return f"sluice:dead:group:{fingerprint}"


def dead_bucket(number: int) -> str:
    """Hash: dead letter number -> summary, for 128 numbers."""
    return f"sluice:dead:s:{number // 128}"


def dead_tokens(stretch: int, digit: int) -> str:
    """String: tokens of people and events, of 16,384 numbers, that begin with a hex digit."""
    return f"sluice:dead:t:{stretch}:{digit:x}"


def claims_prefix(connection: str) -> str:
    """Prefix of `{prefix}{slot}:{bucket}`: hash, rest of the event id -> batch number; and of
    `{prefix}{slot}:r`: string, the id ranges of the buckets (scripts/claim.lua). They expire."""
    return f"sluice:claims:{connection}:"


def ledger_prefix(connection: str) -> str:
    """Prefix of `{prefix}{hour}`: hash, column -> count, for events received in that hour."""
    return f"sluice:ledger:{connection}:"


def ledger_hours(connection: str) -> str:
    """Set: the hours (Unix time / 3600 s) for which the connection has a ledger row."""
    return f"sluice:ledger-hours:{connection}"


def old_dead_index(connection: str) -> str:
    """Sorted set: dead letter number -> ms at which it died, as releases before fingerprints wrote
    it; is emptied."""
    return f"sluice:dead:index:{connection}"


def last_test(connection: str) -> str:
    """String: Redis time in ms of the last *Send Test* that a worker saw."""
    return f"sluice:test:{connection}"


def signatures(connection: str) -> str:
    """Hash: `refused` -> ms of the last wrong signature, fingerprint of a signing key -> ms at
    which Customer.io last signed with it (signatures.py). A field for each key that ever was."""
    return f"sluice:signatures:{connection}"


def signatures_refused(connection: str, hour: int) -> str:
    """Counter: wrong signatures of a Unix hour; expires."""
    return f"sluice:signatures-refused:{connection}:{hour}"


# Set: connections that have ever received something (for readers without configuration).
CONNECTIONS: Final = "sluice:connections"


# lanes


def lane_state(connection: str) -> str:
    """Hash: why and until when a lane is paused, and who probes; absent while it is not."""
    return f"sluice:lane:{connection}"


def lane_hold(connection: str) -> str:
    """Hash: why and until when connect holds a lane back; absent while it does not."""
    return f"sluice:lane-hold:{connection}"


def lane_pace(connection: str) -> str:
    """Hash: how fast the lane may send, what of that is leased, and where its backlog ended when it
    was last opened; expires a day after its last use."""
    return f"sluice:pace:{connection}"


def inlets(owner: str) -> str:
    """String: JSON of connection -> id of the inlet that this worker sends to; expires."""
    return f"sluice:inlets:{owner}"


def budget(scope: str) -> str:
    """Hash: what is leased of an organization's limits; expires. `scope`: organization and host."""
    return f"sluice:budget:{scope}"


def budget_askers(scope: str) -> str:
    """Sorted set: who leases from it, by the second of the last time; expires."""
    return f"sluice:budget-askers:{scope}"


def budget_queue(scope: str) -> str:
    """Sorted set: who waits for a part of it, by the ms since when; expires."""
    return f"sluice:budget-queue:{scope}"


def waiting(connection: str) -> str:
    """Sorted set: batches that wait until their lane can take them -> number of the batch they stem
    from. A hint only: they are in the open set as well."""
    return f"sluice:waiting:{connection}"


def stems(connection: str) -> str:
    """Sorted set: open batch that followed another -> number of the first of them."""
    return f"sluice:stems:{connection}"


# Set: connections that have waiting batches.
WAITING: Final = "sluice:waiting-connections"


def ims_token(fingerprint: str) -> str:
    """String: the IMS token of a credential; expires when the token does."""
    return f"sluice:ims:token:{fingerprint}"


def ims_lock(fingerprint: str) -> str:
    """String: the process that is fetching that token now; expires."""
    return f"sluice:ims:lock:{fingerprint}"


# Stream: who did what; entries of more than 400 days ago go when new ones come.
AUDIT: Final = "sluice:audit"


# samples


def samples(connection: str) -> str:
    """Hash: sample number -> a copy of a recent event, and `last` -> the last number; expires."""
    return f"sluice:samples:{connection}"


def sample_index(connection: str) -> str:
    """Sorted set: "number kind" -> ms at which the sample was put there; expires."""
    return f"sluice:samples-index:{connection}"


# console: who may, and who did

# Hash: user name -> JSON of role, password hash and epoch (users.py).
CONSOLE_USERS: Final = "sluice:console:users"

# Hash: SHA-256 of an API token -> JSON of whose it is, its name, role, end, last use (tokens.py).
CONSOLE_TOKENS: Final = "sluice:console:tokens"


def console_session(digest: str) -> str:
    """Hash: a session, by SHA-256 of its id (scripts/session_look.lua); expires when idle."""
    return f"sluice:console:session:{digest}"


def oidc_login(digest: str) -> str:
    """String: a log-in through a provider that is under way (oidc_logins.py); expires."""
    return f"sluice:console:oidc:{digest}"


def login_attempts(scope: str) -> str:
    """Counter: log-ins tried of late by a user or an address, hashed; expires."""
    return f"sluice:console:attempts:{scope}"


# replay runs

# Counter: the last number given to a replay run.
REPLAY_NUMBER: Final = "sluice:number:replay"

# Sorted set: replay run number -> ms at which it was made.
REPLAYS: Final = "sluice:replays"

# Set: numbers of the runs that a worker has to look after.
REPLAYS_ACTIVE: Final = "sluice:replays:active"


# Prefix of `sluice:replay:{number}`: hash, a replay run's orders, state and counts.
REPLAY_PREFIX: Final = "sluice:replay:"


def replay_run(number: int) -> str:
    """One of them."""
    return f"{REPLAY_PREFIX}{number}"


def replay_selection(number: int) -> str:
    """Hash: "index:connection" -> dead letter numbers, packed: what a run has still to do. Goes
    with the run's end."""
    return f"{REPLAY_PREFIX}{number}:selection"


def replay_places(number: int) -> str:
    """Hash: "index:connection" -> how many of that part's letters are done, if it was begun."""
    return f"{REPLAY_PREFIX}{number}:places"


# recipes

# Hash: recipe name -> its YAML text, version, who saved it and when, packed (recipes.py).
RECIPES: Final = "sluice:recipes"

# Hash: recipe name -> the last version that was given, also when the recipe was deleted since.
RECIPE_VERSIONS: Final = "sluice:recipe-versions"


# what Platform says later


def edge(connection: str) -> str:
    """Hash: Unix hour -> messages that Platform's edge accepted in it, as far as that was written
    down. One small field an hour, like the ledger's rows."""
    return f"sluice:edge:{connection}"


def lake(connection: str) -> str:
    """Hash: Unix hour -> what the runs that began in it say, packed (store/lake.py)."""
    return f"sluice:lake:{connection}"


def look(connection: str) -> str:
    """Hash: who looks at Platform now and until when, how the last look ended, and counts of the
    failed records that were found."""
    return f"sluice:look:{connection}"


def refused_files(connection: str, week: int) -> str:
    """Hash: failed file -> how far it was worked through; by the week (Unix time) in which its
    batch was made. Expires when Platform has forgotten the files, too."""
    return f"sluice:refused-files:{connection}:{week}"


def refused_events_prefix(connection: str) -> str:
    """Prefix of `{prefix}{week}`: hash, digest of an event id -> batch number of the delivery that
    was refused last, and the event's history until then; by the week of the event. Expires."""
    return f"sluice:refused-events:{connection}:"
