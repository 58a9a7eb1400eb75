"""Every exception Sluice raises on purpose.

SluiceError
├── ConfigError            settings or a connection file are wrong; carries all faults at once
├── UnreadableFrame        bytes in Redis that are no frame of ours
├── StoreUnavailable       Redis cannot take or give data now; says why; trying later may help
├── LeaseLost              a batch is no longer this worker's; nothing more may be done with it
├── EventFault             the event itself is at fault: it becomes a dead letter at once
│   ├── UnreadableEvent    a signed body that is no Customer.io event
│   └── MappingFailed      a mapping row could not make a field that is required
├── MappingSetInvalid      a mapping set that cannot be compiled; carries all faults at once
├── PatchInvalid           a JSON patch that cannot be applied; says which operation, and why
├── RecipeInvalid          a recipe that cannot be read; carries all faults at once
├── LanePaused             deliveries of a connection are held back; says why and until when
├── CredentialsRefused     IMS gave no token, and will not before somebody acts
├── TokenUnavailable       IMS cannot be reached or is busy; trying later may help
├── ConsoleRefused         a console elsewhere says no to what a command asked of it
├── ConsoleUnavailable     a console elsewhere cannot be reached or used now; trying later may help
└── ApiFault               a call to a vendor's API failed; says what to do
    ├── PlatformFault      ... to Platform's own
    │   ├── PlatformUnavailable  away, throttled or in a transitional state; later may help
    │   ├── PlatformRefused      it will be refused again until somebody acts
    │   │   ├── PlatformMissing  what the call is about is not there, or not any more
    │   │   ├── PlatformTaken    the title, name or code is in use already
    │   │   ├── PlatformStale    it was changed by somebody since it was read
    │   │   └── PlatformInUse    dataflows still use it
    │   └── PlatformUnreadable   it was answered with what nobody can read, or with too much
    └── CustomerIoFault    ... to Customer.io's App API
        ├── CustomerIoUnavailable  away or over its rate; later may help
        ├── CustomerIoRefused      it will be refused again until somebody acts
        │   └── CustomerIoMissing  there is no such webhook, or not any more
        └── CustomerIoUnreadable   it was answered with what nobody can read, or with too much
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.core.dataprep.problems import Problem


class SluiceError(Exception):
    """Root of the tree: catching it catches nothing that is not ours."""


class ConfigError(SluiceError):
    """Settings or connection files are wrong. `faults`: one line each, naming file, key and fix."""

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(self.faults))


class UnreadableFrame(SluiceError):
    """Bytes under a batch key that no codec version can read."""


class StoreUnavailable(SluiceError):
    """Redis is away, loading, read-only or full. `reason`: one word for metrics and answers."""

    def __init__(self, reason: str, detail: str = "") -> None:
        self.reason = reason
        super().__init__(f"{reason}: {detail}" if detail else reason)


class LeaseLost(SluiceError):
    """A batch is held by another worker, or is not there any more. The text names it."""


class EventFault(SluiceError):
    """The event itself is at fault; trying again cannot help.

    `stage`: where it was found (`parse`, `transform`, `check`); `code`: a stable short name;
    `path`: the source or XDM path; `detail`: what is wrong, without values of the event.
    """

    def __init__(self, stage: str, code: str, detail: str, path: str = "", row: str = "") -> None:
        self.stage = stage
        self.code = code
        self.detail = detail
        self.path = path
        self.row = row
        super().__init__(f"{code} at {path}: {detail}" if path else f"{code}: {detail}")


class UnreadableEvent(EventFault):
    """A body that was signed but is no Customer.io event (customerio.md section 2)."""

    def __init__(self, code: str, detail: str, path: str = "") -> None:
        super().__init__("parse", code, detail, path)


class MappingFailed(EventFault):
    """A mapping row failed on this event and its destination is required.

    `row`: the row as text, `#12 EXPRESSION lower(a.b) -> c.d`.
    """

    def __init__(self, code: str, detail: str, path: str, row: str) -> None:
        super().__init__("transform", code, detail, path, row)


class MappingSetInvalid(SluiceError):
    """A mapping set that cannot be compiled.

    `problems`: every fault, in the order of the rows; `faults`: each as one line naming its row.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        self.faults = tuple(map(str, self.problems))
        super().__init__("\n".join(self.faults))


class PatchInvalid(SluiceError):
    """A JSON patch that cannot be applied."""


class RecipeInvalid(SluiceError):
    """A recipe that cannot be read. `faults`: one line each, naming the field and the fix."""

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(self.faults))


class LanePaused(SluiceError):
    """Deliveries of a connection are held back. `retry_in`: seconds until worth a try."""

    def __init__(self, reason: str, retry_in: float) -> None:
        self.reason = reason
        self.retry_in = retry_in
        super().__init__(f"{reason}, next try in {retry_in:.0f} s")


class CredentialsRefused(SluiceError):
    """IMS gave no token. The text says what IMS answered, without the secret."""


class TokenUnavailable(SluiceError):
    """IMS is away or throttles us. `retry_in`: seconds until worth a try; 0 = nobody tries it
    again, and `detail` says what to do."""

    def __init__(self, detail: str, retry_in: float) -> None:
        self.detail = detail
        self.retry_in = retry_in
        super().__init__(f"{detail}, next try in {retry_in:.0f} s" if retry_in else detail)


class ConsoleRefused(SluiceError):
    """A console elsewhere does not do it; the text is its own."""


class ConsoleUnavailable(SluiceError):
    """A console elsewhere is away, or its Redis is. The text never has the token."""


class ApiFault(SluiceError):
    """A call to a vendor's API failed. `call`: method and path; `status`: 0 when none came;
    `code`: the vendor's own, or a short one of ours; `retry_in`: seconds that the vendor asked
    for, or None. The text ends with what to do.

    `maybe_done`: the call changes something, and may have, for all that is known: look for what
    it makes before it is made again.
    """

    retry_in: float | None = None
    maybe_done = False

    def __init__(self, call: str, detail: str, *, status: int = 0, code: str = "") -> None:
        self.call = call
        self.status = status
        self.code = code
        super().__init__(f"{call}: {detail}")


class PlatformFault(ApiFault):
    """A call to platform.adobe.io failed."""

    # Whether another token may help.
    wants_token = False


class PlatformUnavailable(PlatformFault):
    """Later may help. `retry_in`: seconds that Platform asked for, or None."""

    def __init__(
        self,
        call: str,
        detail: str,
        *,
        status: int = 0,
        code: str = "",
        retry_in: float | None = None,
    ) -> None:
        self.retry_in = retry_in
        super().__init__(call, detail, status=status, code=code)


class PlatformRefused(PlatformFault):
    """A person must act: permission, sandbox, id, or a request that is wrong."""


class PlatformMissing(PlatformRefused):
    """There is nothing of that id in this sandbox."""


class PlatformTaken(PlatformRefused):
    """A title, name or code that must be unique is in use: find it instead of making it."""


class PlatformStale(PlatformRefused):
    """The etag is not the newest: read it again, then once more."""


class PlatformInUse(PlatformRefused):
    """Dataflows still use it: delete them first."""


class PlatformUnreadable(PlatformFault):
    """An answer that is no JSON of the shape that the reference shows, or over the size bound."""


class CustomerIoFault(ApiFault):
    """A call to Customer.io's App API failed."""


class CustomerIoUnavailable(CustomerIoFault):
    """Later may help."""


class CustomerIoRefused(CustomerIoFault):
    """A person must act: App API key, region, or a webhook that is wrong."""


class CustomerIoMissing(CustomerIoRefused):
    """There is no webhook of that id in the key's workspace."""


class CustomerIoUnreadable(CustomerIoFault):
    """An answer that is no JSON of the shape that the reference shows, or over the size bound."""
