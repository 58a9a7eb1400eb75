"""This machine's part: the signing key's file, and the connection file."""

from __future__ import annotations

from typing import Any, Final

from app.adobe.flow_service import specs
from app.connect.connection_file import (
    Given,
    connection_document,
    contents,
    differences,
    is_ours,
    write,
)
from app.connect.plan import Action, Item
from app.connect.run import LATER, Progress, Run, blocked
from app.connect.signing_keys import (
    files_to_be,
    keep,
    kept_keys,
    key_to_be,
    own_keys,
    wants_another,
)
from app.core.errors import SluiceError
from app.settings.folders import may_write

KEY: Final = "signing key"
FILE: Final = "connection file"

# Customer.io's interface shows it, and nothing else does (customerio.md section 10).
WHERE: Final = (
    "in Customer.io: Data & Integrations > Integrations > Reporting Webhooks > {name}; copy the "
    "signing key from there"
)

# Why more than one may be in use, to whoever looks.
_ANOTHER_S: Final = "the webhook is another one than it was given for: its own is needed"
_ANOTHER: Final = "another one is given"
_UNTIL: Final = "the one before stays good until Customer.io has signed an event with this one"
_NOT_TAKEN: Final = (
    "CUSTOMERIO_SIGNING_KEY is another key than the one that is kept, and is not taken: "
    "--signing-key-file FILE puts one in its place"
)


class KeyMissing(SluiceError):
    """Only a person can copy the signing key. The text says where from."""


class SigningKey:
    """Taken from a person, and kept in a file of its own."""

    key, kind = "signing_key", KEY

    async def look(self, run: Run) -> list[Item]:
        name = str(run.places.signing_key)
        try:
            own, everywhere = own_keys(run), kept_keys(run)
        except SluiceError as fault:
            return [blocked(self, name, str(fault))]
        if everywhere and run.first_key and run.first_key not in (each.key for each in everywhere):
            run.note(_NOT_TAKEN)
        if not own:
            why = "a person is asked for it"
            if everywhere or run.signing_key or run.first_key:
                why = f"it lies in {everywhere[0].path} until now" if everywhere else ""
            return [Item(self.key, self.kind, name, Action.CREATE, why=why)]
        if wants_another(run):
            return [Item(self.key, self.kind, name, Action.CHANGE, why=_ANOTHER_S)]
        if run.signing_key not in (b"", own[0].key):
            why = f"{_ANOTHER}; {_UNTIL}"
            return [Item(self.key, self.kind, name, Action.CHANGE, why=why)]
        why = _UNTIL if len(everywhere) > 1 else ""
        return [Item(self.key, self.kind, name, Action.EXISTS, why=why)]

    async def act(self, run: Run, item: Item) -> None:
        secret = key_to_be(run) or await self._asked(run, item)
        if run.signatures is not None:
            # What it signed in former days says nothing of today.
            await run.signatures.forget(secret)
        keep(run, secret)

    async def _asked(self, run: Run, item: Item) -> bytes:
        where = WHERE.format(name=run.setup.webhook_name)
        run.tell(Progress("asking", item, f"the signing key is {where}"))
        given = None if run.ask_key is None else await run.ask_key(where)
        secret = (given or b"").strip()
        if not secret:
            raise KeyMissing(
                f"the signing key of the webhook is needed. It is {where}; then apply again with "
                "--signing-key-file FILE, or answer the question"
            )
        return secret


class ConnectionFile:
    """What receiver and workers read; they take it up by themselves."""

    key, kind = "connection_file", FILE

    async def look(self, run: Run) -> list[Item]:
        path = run.places.connection
        name = str(path)
        if not is_ours(path):
            why = (
                "a person wrote it, so it is not overwritten: move it away, or give the setup "
                "another name"
            )
            return [blocked(self, name, why)]
        document = self._document(run)
        found = differences(path, document)
        # Who only looks, in a read-only container, is not to call a file that is right wrong.
        if found != () and not may_write(path.parent):
            why = (
                "its folder cannot be written by this user: run it where it can, or set "
                "SLUICE_GENERATED_DIR to a folder that can"
            )
            return [blocked(self, name, why)]
        if found is None:
            will_have = contents(document)
            return [Item(self.key, self.kind, name, Action.CREATE, differences=will_have)]
        if found:
            return [Item(self.key, self.kind, name, Action.CHANGE, differences=found)]
        return [Item(self.key, self.kind, name, Action.EXISTS)]

    async def act(self, run: Run, item: Item) -> None:
        write(run.places.connection, self._document(run), run.setup.name)

    def _document(self, run: Run) -> dict[str, Any]:
        given = Given(
            run.tenant or LATER,
            (run.facts.get("inlet") if run.id("flow") else "") or LATER,
            run.id("flow") or LATER,
            run.id("dataset") or LATER,
            run.id("schema") or LATER,
            specs.SCHEMA_TYPE,
        )
        places = run.places
        try:
            keys = files_to_be(run)
        except SluiceError:  # nothing is done: the step before says why
            keys = [places.signing_key]
        return connection_document(
            run.setup, given, keys, places.connection.parent, places.setup.parent
        )
