"""Connection files that change while a process runs: believed when they are whole and valid."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.core.errors import ConfigError
from app.settings import load_connections
from app.settings.folders import Folders
from app.settings.handing import pack, unpack
from app.settings.watching import (
    GONE_SECONDS,
    AsBefore,
    Change,
    ConfigWatch,
    Found,
    Refused,
)

CONFIG = Path(__file__).parents[1] / "config"


class Watched:
    """A config folder with the connection `a`, and a watch on it whose clock is ours."""

    def __init__(self, folder: Path, generated: Path | None = None) -> None:
        self.folder = folder
        shutil.copytree(CONFIG / "mappings", folder / "mappings")
        shutil.copytree(CONFIG / "schemas", folder / "schemas")
        (folder / "connections").mkdir()
        self.environ = {"KEY": "a-key-of-these-tests"}
        self.write("a")
        self.now = 0.0
        folders = Folders(folder, generated)
        self.watch = ConfigWatch(folders, self.environ, load_connections(folders, self.environ))
        assert self.settle() == []

    def path(self, name: str) -> Path:
        return self.folder / "connections" / f"{name}.yaml"

    def text(self, name: str, **changes: Any) -> str:
        document = yaml.safe_load((CONFIG / "connections" / "example.yaml").read_text())
        return yaml.safe_dump(
            {**document, "signing_keys": [{"env": "KEY"}], "name": name, **changes}
        )

    def write(self, name: str, **changes: Any) -> None:
        self.path(name).write_text(self.text(name, **changes))

    def look(self, seconds: float = 0.5, *, at_once: bool = False) -> Found | None:
        self.now += seconds
        return self.watch.look(self.now, at_once=at_once)

    def settle(self) -> list[Found]:
        """What some looks find; a change is taken up."""
        found = [each for _ in range(5) if (each := self.look()) is not None]
        for each in found:
            if isinstance(each, Change):
                self.watch.taken(each)
        return found


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(tmp_path / "config")


def test_a_new_file_and_a_changed_one_are_taken_once_each(watched: Watched) -> None:
    watched.write("b")
    watched.write("a", body_limit_bytes=5_000)

    [change] = watched.settle()

    assert isinstance(change, Change)
    assert (change.added, change.changed, change.removed) == (("b",), ("a",), ())
    assert change.connections["a"].body_limit_bytes == 5_000
    assert change.names == {"added": ["b"], "changed": ["a"]}
    assert watched.settle() == []


def test_what_is_generated_is_watched_too(tmp_path: Path) -> None:
    generated = tmp_path / "generated"
    watched = Watched(tmp_path / "config", generated)
    (generated / "connections").mkdir(parents=True)
    (generated / "connections" / "b.yaml").write_text(watched.text("b"))
    [change] = watched.settle()
    assert isinstance(change, Change)
    assert change.added == ("b",)
    (generated / "connections" / "a.yaml").write_text(watched.text("a"))
    [refused] = watched.settle()
    assert isinstance(refused, Refused)
    [fault] = refused.faults
    assert fault.endswith("a.yaml has the same name; remove one of them")


def test_a_file_that_is_being_written_is_not_taken_half(watched: Watched) -> None:
    whole = watched.text("b")
    for end in (0, 40, len(whole) // 2, len(whole) - 30):
        watched.path("b").write_text(whole[:end])
        assert watched.look() is None
    watched.path("b").write_text(whole)
    [change] = watched.settle()
    assert isinstance(change, Change)
    assert change.added == ("b",)


def test_words_that_mean_the_same_are_no_change(watched: Watched) -> None:
    watched.path("a").write_text(f"# Ours since today.\n{watched.text('a')}")
    assert watched.settle() == []


def test_what_is_not_valid_is_said_once_and_again_when_asked_for(watched: Watched) -> None:
    watched.write("b")
    watched.write("a", mapping_set="no-such-set")

    [refused] = watched.settle()

    assert isinstance(refused, Refused)
    [fault] = refused.faults
    assert "a.yaml: mapping_set: there is no " in fault
    assert set(watched.watch.running) == {"a"}
    assert watched.look(at_once=True) == refused
    assert watched.settle() == []

    # The rest of what was written is not lost when that is mended.
    watched.write("a")
    [change] = watched.settle()
    assert isinstance(change, Change)
    assert change.names == {"added": ["b"]}


def test_what_is_put_back_is_as_before(watched: Watched) -> None:
    watched.path("a").write_text("name: [")
    [refused] = watched.settle()
    assert isinstance(refused, Refused)
    watched.write("a")
    assert watched.settle() == [AsBefore()]


def test_a_mapping_set_that_fails_refuses_the_change_until_it_is_mended(watched: Watched) -> None:
    mapping = watched.folder / "mappings" / "other.json"
    document = json.loads((watched.folder / "mappings" / "customerio-default.json").read_bytes())
    row = document["mappings"][0]
    mapping.write_text(json.dumps({**document, "mappings": [{**row, "source": "lower("}]}))
    watched.write("b", mapping_set="other")
    [refused] = watched.settle()
    assert isinstance(refused, Refused)
    assert all("other.json" in fault for fault in refused.faults)

    mapping.write_text(json.dumps(document))
    [change] = watched.settle()
    assert isinstance(change, Change)
    assert change.names == {"added": ["b"]}


def test_a_file_that_is_gone_for_a_moment_removes_nothing(watched: Watched) -> None:
    watched.write("b")
    watched.settle()
    watched.path("b").unlink()
    assert watched.settle() == []
    watched.write("b")
    assert watched.settle() == []

    watched.path("b").unlink()
    assert watched.look() is None
    removed = watched.look(GONE_SECONDS)
    assert isinstance(removed, Change)
    assert removed.names == {"removed": ["b"]}


def test_who_asks_for_a_look_need_not_wait(watched: Watched) -> None:
    watched.write("b")
    change = watched.look(at_once=True)
    assert isinstance(change, Change)
    watched.watch.taken(change)
    watched.path("b").unlink()
    removed = watched.look(at_once=True)
    assert isinstance(removed, Change)
    assert removed.removed == ("b",)


def test_a_secret_file_and_the_presets_are_watched_too(watched: Watched, tmp_path: Path) -> None:
    secret, presets = tmp_path / "secret", watched.folder / "allowed_sources.yaml"
    secret.write_text("one\n")
    presets.write_text("office: [192.0.2.0/24]\n")
    watched.write("a", signing_keys=[{"file": str(secret)}], allowed_sources=["office"])
    watched.settle()
    assert watched.watch.running["a"].signing_keys == (b"one",)

    secret.write_text("two\n")
    watched.settle()
    assert watched.watch.running["a"].signing_keys == (b"two",)

    presets.write_text("office: [198.51.100.0/24]\n")
    watched.settle()
    assert [str(each) for each in watched.watch.running["a"].allowed_sources] == ["198.51.100.0/24"]

    secret.unlink()
    [refused] = watched.settle()
    assert isinstance(refused, Refused)
    assert "signing_keys[0]: cannot read" in refused.faults[0]


def test_a_change_that_could_not_be_taken_up_is_found_again(watched: Watched) -> None:
    watched.write("b")
    assert any(isinstance(watched.look(), Change) for _ in range(4))
    assert watched.look() is None
    watched.watch.forget()
    assert isinstance(watched.look(), Change)


def test_what_a_parent_hands_over_is_what_it_read(watched: Watched) -> None:
    credentials = {"client_id": "id", "client_secrets": [{"env": "KEY"}], "scopes": ["openid"]}
    document = yaml.safe_load(watched.text("b"))
    document["platform"]["credentials"] = credentials
    (watched.folder / "key").write_bytes(b"\xff\x00no text")
    watched.write(
        "b",
        platform=document["platform"],
        allowed_sources=["2001:db8::/32"],
        signing_keys=[{"file": "../key"}],
    )
    read = load_connections(Folders(watched.folder), watched.environ)

    got = unpack(pack(read))

    files = {"mapping_path": None, "schema_path": None}
    assert got == {name: each.model_copy(update=files) for name, each in read.items()}


def test_what_another_release_hands_over_is_refused_without_a_secret(watched: Watched) -> None:
    packed = pack(watched.watch.running).replace(b"mapping_set", b"mapping_net")
    with pytest.raises(ConfigError) as refused:
        unpack(packed)
    assert watched.environ["KEY"] not in str(refused.value)
