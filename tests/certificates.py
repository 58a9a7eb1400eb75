"""Certificates for tests, made by openssl: an authority, and what it or a stranger signed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")

# What `openssl ca` wants; only it can make a certificate of the past.
_AUTHORITY = """
[ca]
default_ca = here
[here]
database = {folder}/index
serial = {folder}/serial
new_certs_dir = {folder}
default_md = sha256
policy = any
copy_extensions = copy
[any]
commonName = supplied
"""


class Authority:
    """Signs certificates; its own is `pem`."""

    def __init__(self, folder: Path) -> None:
        if shutil.which("openssl") is None:
            pytest.skip("openssl is not installed")
        self.folder = folder
        folder.mkdir()
        self.pem, self._key = folder / "ca.pem", folder / "ca.key"
        (folder / "index").touch()
        (folder / "serial").write_text("01")
        (folder / "ca.conf").write_text(_AUTHORITY.format(folder=folder))
        _openssl(
            *("req", "-x509", *_NEW_KEY, "-subj", "/CN=an authority of these tests"),
            *("-keyout", str(self._key), "-out", str(self.pem), "-days", "2"),
        )

    def issue(
        self, name: str, hosts: str = "DNS:localhost,IP:127.0.0.1", *, expired: bool = False
    ) -> tuple[Path, Path]:
        """(certificate, key) for `hosts`."""
        pem, key, request = (self.folder / f"{name}.{end}" for end in ("pem", "key", "csr"))
        _openssl(
            *("req", "-new", *_NEW_KEY, "-subj", f"/CN={name}", "-addext"),
            *(f"subjectAltName={hosts}", "-keyout", str(key), "-out", str(request)),
        )
        days = ("20200101000000Z", "20200201000000Z" if expired else "20990101000000Z")
        _openssl(
            *("ca", "-batch", "-config", str(self.folder / "ca.conf"), "-in", str(request)),
            *("-cert", str(self.pem), "-keyfile", str(self._key), "-notext", "-out", str(pem)),
            *("-startdate", days[0], "-enddate", days[1]),
        )
        return pem, key


def _openssl(*words: str) -> None:
    done = subprocess.run(("openssl", *words), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
