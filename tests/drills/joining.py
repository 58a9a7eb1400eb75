"""Setting both ends up, killed -9 after each single call that changes something, and run again."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any, Final

import yaml

from app.sandbox.defaults import APP_KEY, IMS_CLIENT_ID, ORG_ID, SIGNING_KEY, WORKSPACE
from tests.e2e.system import SECRET_NAME, System, running

# A name for each: a setup of the same name that says something else is not written over.
NAMES: Final = {"http_api": "joined", "customerio": "adobes"}
# More calls than these are none of a set-up.
_CALLS_MOST: Final = 40


async def connect(folder: Path) -> dict[str, Any]:
    """What is there at the end is compared with what one command makes that nobody kills."""
    began, kills, wrong = time.monotonic(), {}, []
    options = ("--settle-seconds", "0")
    async with running(folder, sandbox=options, environ={"CIO_KEY": APP_KEY}) as system:
        (system.folder / "key").write_text(SIGNING_KEY)
        for source, name in NAMES.items():
            words = _words(system, source, name)
            whole = await _made(system, name, words)
            assert whole["in_order"], whole
            await _destroyed(system, name)
            for number in range(1, _CALLS_MOST):
                code = await system.killed_at(number, *words)
                if (made := await _made(system, name, words)) != whole:
                    wrong.append({"source": source, "call": number, "made": made})
                await _destroyed(system, name)
                if code == 0:
                    kills[source] = number - 1
                    break
    seconds = round(time.monotonic() - began)
    return {"drill": "connect", "seconds": seconds, "killed_after_call": kills, "wrong": wrong}


def _words(system: System, source: str, name: str) -> tuple[str, ...]:
    document = {
        "platform": {
            "org_id": ORG_ID,
            "api_url": system.sandbox_url,
            "credentials": {
                "client_id": IMS_CLIENT_ID,
                "client_secrets": [{"env": SECRET_NAME}],
                "ims_url": f"{system.sandbox_url}/ims/token/v3",
            },
            "source": {"kind": source} | ({"data_type": "raw"} if source == "customerio" else {}),
            "settle_seconds": 0,
        },
        "customerio": {
            "api_key": {"env": "CIO_KEY"},
            "api_url": system.sandbox_url,
            "public_url": system.receiver_url,
        },
    }
    path = system.folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(document))
    key = str(system.folder / "key")
    return ("connect", "--from", str(path), "--yes", "--signing-key-file", key)


async def _made(system: System, name: str, words: tuple[str, ...]) -> dict[str, Any]:
    """What exists after the command, run until it is done; and whether all is in order."""
    done = await system.sluice(*words)
    status = await system.sluice("connection", "status", name, "--json")
    workspace = await system.ask(f"/customerio/workspaces/{WORKSPACE}")
    counts = (await system.ask("/objects"))["counts"]
    return {
        "code": done.code,
        "in_order": json.loads(status.out)["in_order"],
        "webhooks": [each["disabled"] for each in workspace["webhooks"]],
        **{kind: count for kind, count in counts.items() if count},
    }


async def _destroyed(system: System, name: str) -> None:
    """All away, with the data, and what Platform itself has no call to delete."""
    await system.settled(name)
    words = ("--dataset", "--yes-delete-the-data", "--yes")
    gone = await system.sluice("connection", "destroy", name, *words)
    assert gone.code == 0, gone.out + gone.err
    await system.ask("/objects", "DELETE")
