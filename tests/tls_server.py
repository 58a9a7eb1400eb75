"""A Redis that speaks TLS only, with the ACL user whose rights the project ships.

Debian's: the embedded server is built without TLS.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from app.core.redis_address import RedisAddress
from app.store.connect import open_store
from tests.certificates import Authority
from tests.conftest import RedisServer
from tests.e2e.process import ROOT, free_port

PASSWORD = "correct horse"


def acl_rule() -> str:
    """The rule that the project ships, with the password of these tests."""
    rule = (ROOT / "config/redis-acl.conf").read_text().splitlines()[-1]
    digest = hashlib.sha256(PASSWORD.encode()).hexdigest()
    return re.sub("#0{64}", f"#{digest}", rule)


class TlsServer:
    """A server that speaks TLS only, beside the unix socket of its operator."""

    def __init__(self, folder: Path) -> None:
        binary = shutil.which("redis-server")
        if binary is None:
            pytest.skip("redis-server is not installed; .ci/run installs it")
        self.authority = Authority(folder / "authority")
        self.stranger = Authority(folder / "stranger")
        pem, key = self.authority.issue("redis")
        (folder / "users.acl").write_text(f"user default on nopass ~* &* +@all\n{acl_rule()}\n")
        self.port = free_port()
        options = (
            *("--tls-port", str(self.port), "--tls-auth-clients", "optional"),
            *("--tls-cert-file", str(pem), "--tls-key-file", str(key)),
            *("--tls-ca-cert-file", str(self.authority.pem)),
            *("--aclfile", str(folder / "users.acl")),
        )
        self.server = RedisServer(folder, binary, options)
        self.address = RedisAddress(
            f"rediss://sluice@localhost:{self.port}/0", PASSWORD, str(self.authority.pem)
        )

    async def tell(self, *words: str) -> Any:
        """As its operator."""
        store = open_store(self.server.url)
        answer = await store.execute_command(*words)  # type: ignore[no-untyped-call]
        await store.aclose(close_connection_pool=True)
        return answer

    async def show(self, pem: Path, key: Path) -> None:
        """Another certificate from now on."""
        await self.tell("CONFIG", "SET", "tls-cert-file", str(pem), "tls-key-file", str(key))
