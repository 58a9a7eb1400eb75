"""`python -m tests.connect.dying NUMBER words...`: `sluice words...`, killed by SIGKILL when the
answer to its NUMBERth changing call has come, and before anything is done with it."""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

import aiohttp

from app.__main__ import main

_request = aiohttp.ClientSession._request
_LOOKS = ("/ims/token/v3", "/validate", "/preview")


def _dying(number: int) -> Any:
    left = [number]

    async def request(self: Any, method: str, url: Any, **options: Any) -> Any:
        answer = await _request(self, method, url, **options)
        if method != "GET" and not str(url).partition("?")[0].endswith(_LOOKS):
            left[0] -= 1
            if not left[0]:
                os.kill(os.getpid(), signal.SIGKILL)
        return answer

    return request


if __name__ == "__main__":
    number = int(sys.argv.pop(1))
    aiohttp.ClientSession._request = _dying(number)  # type: ignore[method-assign]
    main()
