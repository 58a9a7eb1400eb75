"""A request as a command that a shell takes, without its secrets."""

from __future__ import annotations

import os
import subprocess

import pytest

from app.core.curl import curl

NASTY = 'it\'s $HOME `id` "x" \\ !\n*'


def words(command: str, **variables: str) -> list[str]:
    """What a shell hands to curl."""
    script = "curl() { printf '%s\\0' \"$@\"; }\n" + command
    environ = {"PATH": os.environ["PATH"], **variables}
    said = subprocess.run(
        ["bash", "-uc", script], env=environ, capture_output=True, text=True, check=True
    )
    return said.stdout.split("\0")[:-1]


def test_a_shell_reads_back_what_was_sent() -> None:
    url, headers = "https://x/y?property=name%3D%3DA&b=1", {"Accept": "a;b=1", "X": NASTY}
    body = NASTY.encode()

    found = words(curl("PUT", url, headers, body, secrets={}))

    assert found == [
        "-X", "PUT", url, "-H", "Accept: a;b=1", "-H", f"X: {NASTY}", "--data-raw", NASTY,
    ]  # fmt: skip


def test_json_is_laid_out_over_lines_and_still_the_same() -> None:
    command = curl("POST", "https://x", {}, b'{"a":[1,"it\'s"]}', secrets={})
    assert words(command)[-1] == '{\n  "a": [\n    1,\n    "it\'s"\n  ]\n}'


def test_a_form_is_given_field_by_field() -> None:
    command = curl("POST", "https://x", {}, form=[("a", "b c&d"), ("e", "")], secrets={})
    assert words(command)[3:] == ["--data-urlencode", "a=b c&d", "--data-urlencode", "e="]


@pytest.mark.parametrize("secret", ["s3cret", "it's", "$1", "a+b.*"])
def test_secrets_are_variables_of_the_shell_wherever_they_are(secret: str) -> None:
    body = f'{{"key":"{secret}","again":"{secret}!"}}'.encode()
    sent = {"Authorization": f"Bearer {secret}"}

    command = curl("POST", f"https://x/{secret}", sent, body, secrets={secret: "KEY"})

    assert secret not in command
    assert "Authorization: Bearer " in command
    shown = words(command, KEY=secret)
    assert (shown[2], shown[4]) == (f"https://x/{secret}", f"Authorization: Bearer {secret}")
    assert shown[-1] == f'{{\n  "key": "{secret}",\n  "again": "{secret}!"\n}}'


def test_a_secret_that_begins_another_leaves_nothing_of_it() -> None:
    command = curl("GET", "https://x", {"A": "abcdef"}, secrets={"abc": "ONE", "abcdef": "TWO"})
    assert words(command, ONE="abc", TWO="abcdef")[-1] == "A: abcdef"
    assert "def" not in command


def test_no_secret_is_no_reason_to_hide_everything() -> None:
    assert words(curl("GET", "https://x", {"A": ""}, secrets={"": "KEY"}))[-1] == "A: "
