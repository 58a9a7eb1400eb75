"""Whether the certificate files that the settings name can be used: said at start, not later."""

from __future__ import annotations

import ssl

from app.core.redis_address import RedisAddress


def pem_faults(address: RedisAddress) -> list[str]:
    """One line for each file that TLS could not use. Empty = good."""
    found = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if address.ca_file:
        try:
            context.load_verify_locations(address.ca_file)
        except OSError as fault:  # ssl.SSLError is one
            found.append(_unusable("CA", address.ca_file, fault, "certificates in PEM"))
    if address.cert_file and address.key_file:
        try:
            # Without a password given, OpenSSL would ask for it on the terminal.
            context.load_cert_chain(address.cert_file, address.key_file, password=b"")
        except OSError as fault:
            text = "a certificate in PEM, and SLUICE_REDIS_KEY_FILE its key without a password"
            found.append(_unusable("CERT", address.cert_file, fault, text))
    return found


def _unusable(which: str, path: str, fault: OSError, wanted: str) -> str:
    why = "" if isinstance(fault, ssl.SSLError) else f" ({fault.strerror})"
    return f"SLUICE_REDIS_{which}_FILE: cannot use {path}{why}; it must hold {wanted}"
