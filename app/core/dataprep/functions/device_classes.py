"""The class of the device behind a user agent, by the names of Adobe's function page.

The page lists them without a rule how they are told (the library there is Yauaa); the rules are
ours: the first that fits decides. `Anonymized`, `Robot Imitator`, `Home Appliance` and `Cloud` of
that list need knowledge beyond the text, or too much of it, and are never given.
"""

from __future__ import annotations

import re
from typing import Final

# Nothing here takes long on the 1,024 characters that are looked at.
_RULES: Final = tuple(
    (name, re.compile(words, re.IGNORECASE))
    for name, words in (
        ("Hacker", r"<script|<\?php|\$\{jndi:|javascript:|\bunion select\b"),
        ("Handheld Game Console", r"nintendo (switch|3ds|ds)|playstation (portable|vita)"),
        ("Game Console", r"playstation|xbox|nintendo wii"),
        ("Virtual Reality", r"oculusbrowser|\bquest [2-9]\b|\bpico\b"),
        ("Augmented Reality", r"\bhololens\b"),
        ("Watch", r"\bwatch ?os\b|apple watch|\bwear os\b|galaxy watch"),
        ("Car", r"\btesla/|qtcarbrowser|carplay|android automotive"),
        ("Voice", r"\balexa\b|amazon echo|google-?home|\bhomepod\b"),
        ("Set-top box", r"apple ?tv|\broku\b|\bcrkey\b|\baft[a-z]{1,4}\b|fire tv|chromecast"),
        ("TV", r"smart-?tv|hbbtv|(google|android) ?tv|web0s|netcast|\bbravia\b|tizen.{0,40}\btv\b"),
        ("eReader", r"kindle/|\bkobo\b|\bnook\b|pocketbook"),
        ("Tablet", r"\bipad\b|\btablet(?! pc)\b|\bplaybook\b|\bsilk/(?!.*mobile)|kindle fire"),
        ("Phone", r"\biphone\b|\bipod\b|windows phone|blackberry|\bbb10\b"),
        ("Phone", r"\bandroid\b.{0,400}\bmobile\b"),
        ("Tablet", r"\bandroid\b"),
        ("Mobile", r"\bmobile\b|\bmobi\b"),
        ("Desktop", r"windows nt|macintosh|mac os x|\bx11\b|\bcros\b|\blinux\b|\bwindows\b"),
    )
)


def device_class(text: str, family: str) -> str:
    """The class; `family` is what ua-parser calls the device: "Spider" for every robot."""
    if family == "Spider":
        return "Robot Mobile" if "mobile" in text.lower() else "Robot"
    for name, words in _RULES:
        if words.search(text):
            return name
    return "Unknown"
