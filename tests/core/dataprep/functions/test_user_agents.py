"""User agent functions: the page's examples, and real agents of every class of device."""

from __future__ import annotations

import subprocess
import sys

import pytest

from app.core.dataprep.functions.user_agents import FUNCTIONS, prepare

IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 5_1_1 like Mac OS X) AppleWebKit/534.46 "
    "(KHTML, like Gecko) Version/5.1 Mobile/9B206 Safari/7534.48.3"
)


@pytest.mark.parametrize(
    ("function", "result"),
    [
        ("ua_os_name", "iOS"),
        ("ua_os_version_major", "iOS 5"),
        ("ua_os_version", "5.1.1"),
        ("ua_os_name_version", "iOS 5.1.1"),
        ("ua_agent_version", "5.1"),
        ("ua_agent_version_major", "Safari 5"),
        ("ua_agent_name", "Safari"),
        ("ua_device_class", "Phone"),
    ],
)
def test_the_page_s_examples(function: str, result: str) -> None:
    assert FUNCTIONS[function](IPHONE) == result


KIT = "AppleWebKit/537.36 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("agent", "device", "name", "system"),
    [
        (
            f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {KIT} Chrome/120.0.0.0 Safari/537.36",
            "Desktop", "Chrome 120", "Windows 10",
        ),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 "
            "(KHTML, like Gecko) Version/17.1 Safari/605.1.15",
            "Desktop", "Safari 17", "Mac OS X 10",
        ),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0",
         "Desktop", "Firefox 120", None),
        ("Mozilla/5.0 (Windows NT 6.1; Trident/7.0; rv:11.0) like Gecko",
         "Desktop", "Internet Explorer 11", "Windows 7"),
        (f"Mozilla/5.0 (Linux; Android 13; Pixel 7) {KIT} Chrome/116.0.0.0 Mobile Safari/537.36",
         "Phone", "Chrome 116", "Android 13"),
        (f"Mozilla/5.0 (Linux; Android 13; SM-X700) {KIT} Chrome/116.0.0.0 Safari/537.36",
         "Tablet", "Chrome 116", "Android 13"),
        ("Mozilla/5.0 (iPad; CPU OS 16_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
         "CriOS/118.0.5993.69 Mobile/15E148 Safari/604.1", "Tablet", "Chrome 118", "iOS 16"),
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
         "Robot", "Googlebot 2", None),
        (f"Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X) {KIT} Chrome/99.0 Mobile Safari/537.36 "
         "(compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
         "Robot Mobile", "Googlebot 2", "Android 6"),
        ("Mozilla/5.0 (PlayStation 4 5.55) AppleWebKit/601.2 (KHTML, like Gecko)",
         "Game Console", None, None),
        ("Mozilla/5.0 (Nintendo Switch; WifiWebAuthApplet) AppleWebKit/601.6 (KHTML, like Gecko)",
         "Handheld Game Console", None, None),
        (f"Mozilla/5.0 (SMART-TV; Linux; Tizen 5.0) {KIT} Version/5.0 TV Safari/537.36",
         "TV", None, None),
        (f"Mozilla/5.0 (CrKey armv7l 1.5) {KIT} Chrome/31.0 Safari/537.36", "Set-top box", None,
         None),
        ("Mozilla/5.0 (X11; U; Linux armv7l like Android; en-us) AppleWebKit/531.2+ "
         "(KHTML, like Gecko) Version/5.0 Safari/533.2+ Kindle/3.0+", "eReader", None, None),
        (f"Mozilla/5.0 (X11; Linux x86_64) {KIT} OculusBrowser/25.0 Chrome/108.0 VR Safari/537.36",
         "Virtual Reality", None, None),
        ("Mozilla/5.0 (X11; GNU/Linux) AppleWebKit/601.1 (KHTML, like Gecko) Tesla/2021.44",
         "Car", None, None),
        ("Mozilla/5.0 (Watch OS 9.1; Apple Watch) AppleWebKit/605", "Watch", None, None),
        ("Mozilla/5.0 <script>alert(1)</script>", "Hacker", None, None),
        ("SomeApp/1.0 (Mobile)", "Mobile", None, None),
        ("Mozilla/5.0", "Unknown", None, None),
    ],
)  # fmt: skip
def test_agents_are_told_apart(
    agent: str, device: str, name: str | None, system: str | None
) -> None:
    assert FUNCTIONS["ua_device_class"](agent) == device
    if name:
        assert FUNCTIONS["ua_agent_version_major"](agent) == name
    if system:
        assert FUNCTIONS["ua_os_version_major"](agent) == system


@pytest.mark.parametrize("function", FUNCTIONS)
def test_nothing_is_told_of_nothing(function: str) -> None:
    assert [FUNCTIONS[function](agent) for agent in (None, "")] == [None, None]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_what_cannot_be_told_is_null_but_for_the_class(function: str) -> None:
    expected = "Unknown" if function == "ua_device_class" else None

    for agent in ("?", 5, "\ud800", "x" * 100_000, [1]):
        assert FUNCTIONS[function](agent) == expected


def test_only_the_first_characters_are_read() -> None:
    assert FUNCTIONS["ua_agent_name"](" " * 2000 + IPHONE) is None


def test_nobody_waits_for_ua_parser_who_does_not_use_it() -> None:
    code = (
        "import sys, app.core.dataprep as d\n"
        "d.compile_mapping_set({'mappings': [{'sourceType': 'EXPRESSION', 'source': 'lower(a)',"
        " 'destination': 'b'}]}).transform({'a': 'A'})\n"
        "print('ua_parser' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert ran.stdout.strip() == "False"
    prepare()
    assert "ua_parser" in sys.modules
