"""`sluice mappings`, as somebody types it: what is said, in words and in JSON, and exit codes."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from app.cli import cli
from app.core.batch import AttemptRun
from app.core.dead_letter import DeadLetter, DeadLetterSummary
from app.core.errors import ConfigError, SluiceError
from app.store.connect import Store
from app.store.dead_letters import DeadLetters
from app.store.samples import Samples

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "tests" / "fixtures" / "customerio"
SENT = FIXTURES / "vendor-email-sent.json"
NOWHERE = "redis://127.0.0.1:1/0"

TEN_FAULTS: list[dict[str, Any]] = [
    {"sourceType": "EXPRESSION", "source": "lower(data.subject", "destination": "_acme.a"},
    {"sourceType": "EXPRESSION", "source": "lowr(data.subject)", "destination": "_acme.b"},
    {"sourceType": "EXPRESSION", "source": "substr(data.subject)", "destination": "_acme.c"},
    {"sourceType": "EXPRESSION", "source": "array_to_string(data.x)", "destination": "_acme.d"},
    {"sourceType": "EXPRESSION", "source": "data.x ==", "destination": "_acme.e"},
    {"sourceType": "EXPRESSION", "source": "'open", "destination": "_acme.f"},
    {"sourceType": "ATTRIBUTE", "source": "data..x", "destination": "_acme.g"},
    {"sourceType": "ATTRIBUTE", "source": "data.x", "destination": ""},
    {"sourceType": "NONE", "source": "data.x", "destination": "_acme.h"},
    {"sourceType": "STATIC", "source": "{NOBODY}", "destination": "_acme.i"},
]


@dataclass
class Answered:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def sluice(*words: object, body: bytes = b"") -> Answered:
    """A command, faults handled as `python -m app` does."""
    result = CliRunner().invoke(cli, ["mappings", *map(str, words)], input=body)
    code, err = result.exit_code, result.stderr
    if isinstance(result.exception, SluiceError):
        code = 2 if isinstance(result.exception, ConfigError) else 1
        err += str(result.exception)
    elif result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Answered(code, result.stdout, err)


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A config folder of its own, one connection in it, and no Redis."""
    for name in [name for name in os.environ if name.startswith(("SLUICE_", "EXAMPLE_"))]:
        monkeypatch.delenv(name)
    shutil.copytree(ROOT / "config", tmp_path / "config")
    monkeypatch.setenv("SLUICE_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("SLUICE_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("SLUICE_REDIS_URL", NOWHERE)
    return tmp_path / "config"


@pytest.fixture
def written(config: Path) -> Callable[..., Path]:
    """Writes a set beside the default one."""

    def write(name: str, rows: list[dict[str, Any]], **more: Any) -> Path:
        path = config / "mappings" / f"{name}.json"
        path.write_text(json.dumps({"name": name, "version": 1, "mappings": rows, **more}))
        return path

    return write


def another_connection(config: Path, name: str, **changes: Any) -> None:
    document = yaml.safe_load((config / "connections" / "example.yaml").read_text())
    document |= {"name": name, **changes}
    (config / "connections" / f"{name}.yaml").write_text(yaml.safe_dump(document))


def changed_default(config: Path, change: Callable[[list[dict[str, Any]]], None]) -> Path:
    """The default set of a later version."""
    document = json.loads((config / "mappings" / "customerio-default.json").read_text())
    document["version"] += 1
    change(document["mappings"])
    path = config.parent / "next.json"
    path.write_text(json.dumps(document))
    return path


# --- which set ---


def test_a_set_that_is_not_there_is_wrong_use_with_the_name_that_comes_near() -> None:
    for command in (("check",), ("coverage", "--offline"), ("schema",)):
        answered = sluice(command[0], "customerio-defualt", *command[1:])
        assert answered.code == 2
        assert "did you mean customerio-default?" in answered.err


def test_the_secrets_of_connections_are_not_needed() -> None:
    """On a fresh checkout the example's signing key is not set."""
    answered = sluice("check", "customerio-default", "--json")
    assert answered.code == 0, answered.out
    assert (answered.json["connection"], answered.json["schema"]) == (
        "example",
        "customerio-events",
    )


def test_of_several_connections_the_first_is_taken_and_named(config: Path) -> None:
    another_connection(config, "second", tenant="other")

    first = sluice("preview", "customerio-default", SENT, "--json")
    second = sluice("preview", "customerio-default", SENT, "--json", "--connection", "second")

    assert "as connection example (--connection for another: second)" in first.err
    assert "_sluicesandbox" in first.json[0]["data"]
    assert "second" not in second.err
    assert "_other" in second.json[0]["data"]


def test_without_a_connection_the_examples_variables_are_taken(config: Path) -> None:
    for each in ("mappings", "mappings/examples"):
        shutil.copy(config / each / "customerio-default.json", config / each / "own.json")

    answered = sluice("preview", "own", SENT, "--json")

    assert "TENANT=acme" in answered.err
    assert "_acme" in answered.json[0]["data"]


def test_without_anything_a_file_gets_harmless_variables(config: Path) -> None:
    path = config.parent / "elsewhere.json"
    shutil.copy(config / "mappings" / "customerio-default.json", path)

    answered = sluice("preview", path, SENT, "--json")

    assert "TENANT=tenant" in answered.err
    assert "which the set names as its outputSchema" in answered.err
    assert "_tenant" in answered.json[0]["data"]


def test_an_unknown_connection_or_schema_is_wrong_use() -> None:
    for option, wanted in (("--connection", "known: example"), ("--schema", "did you mean")):
        answered = sluice("check", "customerio-default", option, "customerio-event")
        assert answered.code == 2
        assert wanted in answered.err


# --- check ---


def test_check_says_what_a_good_set_is() -> None:
    answered = sluice("check", "customerio-default")
    assert answered.code == 0, answered.out
    assert answered.out.startswith("customerio-default@")
    assert "schema customerio-events" in answered.out


def test_ten_faults_get_ten_clear_messages_each_with_its_row(
    written: Callable[..., Path],
) -> None:
    path = written("broken", TEN_FAULTS)

    answered = sluice("check", path, "--schema", "none", "--json")
    said = sluice("check", path, "--schema", "none")

    assert (answered.code, said.code) == (1, 1)
    problems = answered.json["problems"]
    assert [problem["row"] for problem in problems] == list(range(1, 11))
    assert len({problem["message"] for problem in problems}) == 10
    lines = said.out.splitlines()
    assert sum(line.strip() == "^" for line in lines) >= 6
    assert sum(line.startswith("#") for line in lines) == 10


def test_a_set_that_is_no_json_is_a_fault_with_its_place(config: Path) -> None:
    (config / "mappings" / "bad.json").write_text('{"mappings": [}')
    answered = sluice("check", "bad")
    assert answered.code == 1
    assert "JSON" in answered.out
    assert "line 1" in answered.out


def test_an_example_that_does_not_come_out_is_a_fault(config: Path) -> None:
    path = config / "mappings" / "examples" / "customerio-default.json"
    document = json.loads(path.read_text())
    document["examples"][0]["in"]["event_id"] = "another"
    path.write_text(json.dumps(document))

    answered = sluice("check", "customerio-default", "--json")

    assert answered.code == 1
    [problem] = answered.json["problems"]
    assert problem["place"] == "set"
    assert document["examples"][0]["name"] in problem["line"]


# --- preview ---


@pytest.mark.parametrize("body", sorted(FIXTURES.glob("*.[jr][sa][ow]*")), ids=lambda p: p.stem)
def test_each_published_body_is_previewed(body: Path) -> None:
    answered = sluice("preview", "customerio-default", body, "--json")
    assert answered.code == 0, answered.out
    [one] = answered.json
    assert one["errors"] is None
    assert one["data"]["_id"] == json.loads(body.read_bytes())["event_id"]


def test_events_of_files_and_of_standard_input_come_in_order() -> None:
    one = json.loads(SENT.read_bytes())
    lines = [json.dumps({**one, "event_id": f"id-{number}"}) for number in range(3)]

    answered = sluice(
        "preview", "customerio-default", SENT, "-", "--json", body="\n".join(lines).encode()
    )

    ids = [each["data"]["_id"] for each in answered.json]
    assert ids == [one["event_id"], "id-0", "id-1", "id-2"]


def test_a_record_is_shown_to_people_and_its_faults_beside_it(
    written: Callable[..., Path],
) -> None:
    rows = [
        {"sourceType": "ATTRIBUTE", "source": "event_id", "destination": "_id"},
        {"sourceType": "EXPRESSION", "source": "to_integer(metric)", "destination": "a.b"},
    ]
    answered = sluice("preview", written("own", rows), SENT, "--schema", "none")

    assert answered.code == 0
    assert json.loads(answered.out) == {"_id": json.loads(SENT.read_bytes())["event_id"]}
    [line] = [line for line in answered.err.splitlines() if "#2" in line]
    assert "warning" in line
    assert "a.b" in line


def test_an_event_that_would_be_a_dead_letter_is_exit_1() -> None:
    body = b'{"event_id": "x", "object_type": "email", "metric": "sent", "data": {}}'

    answered = sluice("preview", "customerio-default", "-", "--json", body=body)
    said = sluice("preview", "customerio-default", "-", body=body)

    assert (answered.code, said.code) == (1, 1)
    [error, *_] = answered.json[0]["errors"]
    assert set(error) == {"source", "destination", "sourceType", "columnName", "exception"}
    assert error["destination"] == "timestamp"
    assert "timestamp" in said.err


def test_what_no_worker_would_map_is_previewed_with_a_word_about_it() -> None:
    """A set may be tried on any object; but nobody shall think it would be delivered."""
    body = b'{"event_id": "x", "object_type": "email", "metric": "sent", "timestamp": 5}'
    answered = sluice("preview", "customerio-default", "-", body=body)
    assert answered.code == 0
    assert "data is absent" in answered.err


@pytest.mark.parametrize(
    "words",
    [
        ("preview", "customerio-default"),
        ("preview",),
        ("preview", "customerio-default", "no-such-file"),
        ("preview", "customerio-default", str(ROOT / "README.md")),
        ("preview", "customerio-default", str(FIXTURES)),
        ("preview", "customerio-default", "--batch", "x"),
        ("preview", "--batch", "no-such-file"),
        ("eval",),
        ("eval", "1", "--batch", "x"),
        ("eval", "1", "--input", "no-such-file"),
        ("eval", "1", "--input", str(ROOT / "README.md")),
        ("schema", "--types", "--registry"),
        ("schema", "customerio-default", "--write"),
        ("coverage", "customerio-default", "--kind", "email.sentt"),
        ("coverage", "customerio-default", "--events", "no-such-file"),
        ("coverage", "customerio-default", "--sample", "0"),
        ("diff", "customerio-default"),
        ("diff", "customerio-default", "customerio-default", "--connection", "nobody"),
    ],
    ids=" ".join,
)
def test_wrong_use_is_exit_2_and_says_what_to_do(words: tuple[str, ...]) -> None:
    answered = sluice(*words)
    assert (answered.code, answered.out) == (2, "")
    assert answered.err
    assert "Traceback" not in answered.err


def test_previews_of_a_batch_answer_line_by_line_whatever_the_line_is() -> None:
    rows = [{"sourceType": "EXPRESSION", "source": "upper(a)", "destination": "b"}]
    number = [{"sourceType": "ATTRIBUTE", "source": "a", "destination": "b"}]
    lines = [
        {"mappings": rows, "input": {"a": "x"}},
        {"mappings": rows, "input": {"a": "y"}},
        {"mappings": number, "input": {"a": "7"}, "types": {"b": "integer"}},
        {"mappings": [{**rows[0], "source": "upper(a"}], "input": {}},
    ]
    body = b"\n".join([*(json.dumps(line).encode() for line in lines), b"garbage", b"[]", b""])

    answered = sluice("preview", "--batch", "-", body=body + b"\n")

    assert answered.code == 0, answered.err
    found = [json.loads(line) for line in answered.out.splitlines()]
    assert found[:3] == [
        {"data": {"b": "X"}, "errors": None},
        {"data": {"b": "Y"}, "errors": None},
        {"data": {"b": 7}, "errors": None},
    ]
    assert len(found) == 7
    assert all(line["errors"] for line in found[3:])


# --- eval ---


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        ("lower(a)", "ada"),
        ("1 + 2", 3),
        ("nullify()", None),
        ("missing", None),
        ('""', ""),
        ("to_array(true, null, 1)", [None, 1]),
        ('date("2019-10-23 11:24", "yyyy-MM-dd HH:mm")', "2019-10-23T11:24:00Z"),
    ],
)
def test_eval_prints_the_value(tmp_path: Path, expression: str, wanted: Any) -> None:
    (tmp_path / "event.json").write_text('{"a": "ADA"}')
    answered = sluice("eval", expression, "--input", tmp_path / "event.json")
    assert (answered.code, answered.json) == (0, wanted)


def test_eval_reads_standard_input_and_needs_no_input_at_all() -> None:
    assert sluice("eval", "a.b[0]", "--input", "-", body=b'{"a": {"b": [4]}}').json == 4
    assert sluice("eval", "6 * 7").json == 42


def test_eval_shows_the_place_of_a_fault_and_says_why_there_is_no_value() -> None:
    written = sluice("eval", "lower(a")
    computed = sluice("eval", "to_integer(a)", "--input", "-", body=b'{"a": "secret"}')

    assert (written.code, written.out) == (1, "")
    text, caret = written.err.splitlines()[1:3]
    assert "lower(a" in text
    assert caret.strip() == "^"
    assert (computed.code, computed.out) == (1, "")
    assert "no number" in computed.err
    assert "secret" not in computed.err


def test_eval_of_a_batch_answers_line_by_line_whatever_the_line_is() -> None:
    body = b"\n".join(
        [
            b'{"expr": "upper(a)", "input": {"a": "x"}}',
            b'{"expr": "upper(a)", "input": {}}',
            b'{"expr": "upper(", "input": {}}',
            b'{"expr": "1"}',
            b"garbage",
            b"",
            b'{"input": {}}',
            b'{"expr": "now() == null", "input": {}}',  # the moment at which it is computed
        ]
    )

    answered = sluice("eval", "--batch", "-", body=body)

    found = [json.loads(line) for line in answered.out.splitlines()]
    assert answered.code == 0
    assert [next(iter(line)) for line in found] == [
        *("value", "value", "error", "value", "error", "error", "error", "value"),
    ]
    assert (found[0]["value"], found[3]["value"], found[7]["value"]) == ("X", 1, False)


# --- list, schema ---


def test_list_says_versions_and_users_and_what_cannot_be_used(
    config: Path, written: Callable[..., Path]
) -> None:
    written("broken", TEN_FAULTS)
    (config / "mappings" / "garbage.json").write_text("{")

    answered = sluice("list", "--json")
    said = sluice("list")

    found = {one["name"]: one for one in answered.json}
    assert answered.code == 0
    assert found["customerio-default"]["connections"] == ["example"]
    assert found["customerio-default"]["faults"] == 0
    assert found["customerio-default"]["label"].startswith("customerio-default@")
    assert found["broken"]["faults"] >= 10
    assert found["garbage"]["faults"] == 1
    assert "sluice mappings check broken" in said.out


def test_the_schema_is_what_the_project_ships_and_filled_in_for_a_connection() -> None:
    plain = sluice("schema")
    filled = sluice("schema", "--connection", "example")
    of_set = sluice("schema", "customerio-default")
    shipped = json.loads((ROOT / "config" / "schemas" / "customerio-events.json").read_text())

    assert plain.json == of_set.json == shipped
    assert "_sluicesandbox" in filled.json["properties"]
    assert "{TENANT}" not in filled.out


def test_the_schema_is_renewed_only_where_it_changed(config: Path) -> None:
    path = config / "schemas" / "customerio-events.json"
    path.write_text("{}")

    first, second = sluice("schema", "--write"), sluice("schema", "--write")

    assert first.out == f"wrote {path}\n"
    assert "up to date" in second.out
    assert json.loads(path.read_text()) == sluice("schema").json


def test_types_are_a_table_and_the_registry_s_requests_name_their_paths() -> None:
    types = sluice("schema", "--types", "--json")
    requests = sluice("schema", "--registry", "--connection", "example")

    assert types.json["timestamp"] == "date-time"
    assert "date-time" in sluice("schema", "--types").out
    paths = [request["path"] for request in requests.json]
    assert paths[-1].endswith("/schemas")
    assert any(path.endswith("/fieldgroups") for path in paths)
    assert "{TENANT}" not in requests.out


def test_the_registry_s_requests_of_a_set_end_with_the_set_as_adobe_takes_it() -> None:
    answered = sluice("schema", "customerio-default", "--registry", "--connection", "example")

    assert answered.code == 0, answered.err
    [*_, last] = answered.json
    assert last["path"].endswith("/conversion/mappingSets")
    assert last["body"]["mappings"][0]["destination"] == "_id"
    assert "{" not in "".join(row["destination"] for row in last["body"]["mappings"])


def test_a_source_that_no_published_event_has_is_a_hint_and_no_fault(
    written: Callable[..., Path],
) -> None:
    row = {"sourceType": "ATTRIBUTE", "source": "data.recipiant", "destination": "a"}
    answered = sluice("check", written("own", [row]), "--schema", "none")
    assert answered.code == 0
    assert "hint: " in answered.out
    assert "data.recipient" in answered.out


# --- coverage, diff ---


async def kept(store: Store, *bodies: bytes, connection: str = "example") -> None:
    seconds, _ = await store.time()
    await Samples(store, 1000, 3_600_000).keep(connection, bodies, seconds * 1000)


async def died(store: Store, *bodies: bytes, connection: str = "example") -> None:
    run = AttemptRun(1, 1, 1, "schema", 0, "", "", "")
    letters = [
        DeadLetter(
            DeadLetterSummary(
                number=0, connection=connection, hour=1, stage="check", failure="schema",
                code="type", path="/a", detail="", row="", kind="", event_id="", received_ms=1,
                dead_ms=number,
            ), body, None, (run,),
        )
        for number, body in enumerate(bodies, 1)
    ]  # fmt: skip
    await DeadLetters(store).put(letters)


def event(number: int, **data: Any) -> bytes:
    document = json.loads(SENT.read_bytes()) | {"event_id": f"id-{number}"}
    document["data"] |= data
    return json.dumps(document).encode()


async def test_coverage_counts_what_came_in_recent_traffic(
    store: Store, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await kept(store, event(1, subject="x"), event(2, new_field=1))
    monkeypatch.setenv("SLUICE_REDIS_URL", redis_url)

    answered = await in_thread("coverage", "customerio-default", "--json")
    said = await in_thread("coverage", "customerio-default", "--kind", "email.sent", "--check")

    assert answered.code == 0, answered.err
    fields = {one["path"]: one for one in answered.json["fields"]}
    assert answered.json["events"] == 2
    assert (fields["data.subject"]["came"], fields["data.subject"]["filled"]) == (1, 1)
    assert fields["data.href"]["came"] == 0
    assert answered.json["unpublished"] == {"data.new_field": 1}
    assert answered.json["unmapped"] == 0
    assert said.code == 0
    assert "never filled in the 2 events" in said.out


def test_coverage_needs_no_redis_with_events_of_files(written: Callable[..., Path]) -> None:
    rows = [{"sourceType": "ATTRIBUTE", "source": "data.subject", "destination": "a"}]
    path = written("own", rows)

    by_file = sluice("coverage", path, "--events", SENT, "--json")
    offline = sluice("coverage", path, "--offline", "--check")

    assert (by_file.code, by_file.json["events"]) == (0, 1)
    assert offline.code == 1
    assert "unmapped" in offline.out


def test_redis_away_is_one_line_that_says_what_to_do() -> None:
    for words in (("coverage", "customerio-default"), ("diff", *["customerio-default"] * 2)):
        answered = sluice(*words)
        assert (answered.code, answered.out) == (1, "")
        assert "Is it running" in answered.err


async def test_diff_over_recent_traffic_tells_fields_and_dead_letters(
    config: Path, store: Store, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await kept(store, event(1, recipient="ada@example.com"), event(2, recipient="b@example.com"))
    await died(store, event(3), b"garbage")
    monkeypatch.setenv("SLUICE_REDIS_URL", redis_url)

    def change(rows: list[dict[str, Any]]) -> None:
        [row] = [row for row in rows if row["destination"].endswith(".customerio.recipient")]
        row |= {"sourceType": "EXPRESSION", "source": "upper(data.recipient)"}

    path = changed_default(config, change)
    answered = await in_thread("diff", "customerio-default", path, "--json")
    said = await in_thread("diff", "customerio-default", path)
    shown = await in_thread("diff", "customerio-default", path, "--show-values", "--check")

    assert answered.code == 0, answered.err
    [field] = answered.json["fields"]
    assert (field["path"], field["changed"]) == ("_sluicesandbox.customerio.recipient", 2)
    assert answered.json["dead_letters"] | {"causes": None} == {
        "letters": 2, "pass_with_new": 1, "pass_with_old": 1, "causes": None,
    }  # fmt: skip
    assert "1 of 2 dead letters would now pass" in said.out
    assert "example.com" not in said.out + answered.out
    assert "@EXAMPLE.COM" in shown.out
    assert shown.code == 0


async def test_diff_over_dead_letters_and_over_files(
    config: Path, store: Store, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await died(store, event(1), event(2), connection="example")
    monkeypatch.setenv("SLUICE_REDIS_URL", redis_url)
    path = changed_default(config, lambda rows: rows.pop())
    file = config.parent / "events.ndjson"
    file.write_bytes(event(1))

    dead = await in_thread("diff", "customerio-default", path, "--dead-letters", "--json")
    files = await in_thread("diff", "customerio-default", path, "--events", file, "--json")

    assert (dead.json["events"], dead.json["dead_letters"]["letters"]) == (2, 2)
    assert (files.json["events"], files.json["dead_letters"]["letters"]) == (1, 0)


async def test_diff_with_nothing_to_look_at_says_so(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUICE_REDIS_URL", redis_url)
    answered = await in_thread("diff", "customerio-default", "customerio-default")
    assert answered.code == 1
    assert "no sample of example's traffic" in answered.err


async def in_thread(*words: object) -> Answered:
    """The command has an event loop of its own."""
    return await asyncio.to_thread(sluice, *words)


def test_a_pipe_that_is_closed_early_ends_it_without_a_word(tmp_path: Path) -> None:
    (tmp_path / "many.ndjson").write_bytes(b'{"expr": "1", "input": {}}\n' * 200_000)
    command = f"{sys.executable} -m app mappings eval --batch {tmp_path}/many.ndjson | head -1"
    found = subprocess.run(command, shell=True, cwd=ROOT, capture_output=True, timeout=50)
    assert found.stdout == b'{"value":1}\n'
    assert found.stderr == b""
