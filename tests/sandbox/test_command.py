"""`sluice sandbox`: what its files may say, and what is said when it cannot start."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from app.cli.sandbox import _announcement, _inlets_in, _schema_in, _workspaces_in, sandbox
from app.sandbox.config import SandboxConfig, Workspace
from app.sandbox.defaults import FLOW_ID, INLET_ID, SIGNING_KEY, default_workspace


def test_inlets_differ_from_the_example_as_their_file_says(tmp_path: Path) -> None:
    path = tmp_path / "inlets.yaml"
    path.write_text("- {}\n- {id: other, mode: raw, authenticated: true}\n")

    first, second = _inlets_in(path)

    assert (first.id, first.mode) == (INLET_ID, "xdm")
    assert (second.id, second.mode, second.authenticated) == ("other", "raw", True)
    assert second.flow_id == FLOW_ID


def test_workspaces_differ_from_the_default_as_their_file_says(tmp_path: Path) -> None:
    path = tmp_path / "workspaces.yaml"
    path.write_text("- {}\n- {name: europe, region: eu, app_keys: [a, b]}\n")

    assert _workspaces_in(path) == (
        default_workspace(),
        Workspace("europe", ("a", "b"), SIGNING_KEY, "eu"),
    )


@pytest.mark.parametrize(
    "text",
    ["[]", "- {key: 1}", "- {region: asia}", "[{}, {}]", "[{}, {name: b}]", "- {app_keys: abc}"],
)
def test_a_wrong_workspaces_file_is_wrong_use(tmp_path: Path, text: str) -> None:
    path = tmp_path / "workspaces.yaml"
    path.write_text(text)
    with pytest.raises(typer.BadParameter):
        _workspaces_in(path)


@pytest.mark.parametrize("text", ["", "a: b", "- {unknown: 1}", "- {mode: both}"])
def test_a_wrong_inlets_file_is_wrong_use(tmp_path: Path, text: str) -> None:
    path = tmp_path / "inlets.yaml"
    path.write_text(text)
    with pytest.raises(typer.BadParameter):
        _inlets_in(path)


def test_a_schema_may_name_the_tenant(tmp_path: Path) -> None:
    path = tmp_path / "schema.json"
    path.write_text('{"properties": {"_{TENANT}": {}}}')
    assert _schema_in(path) == {"properties": {"_sluicesandbox": {}}}

    for wrong in ("[]", "{"):
        path.write_text(wrong)
        with pytest.raises(typer.BadParameter):
            _schema_in(path)


def test_the_first_line_says_how_much_is_remembered() -> None:
    config = SandboxConfig(inlets=(), hour_seconds=4.0, keep_batches=7, keep_failures=9)
    assert _announcement(config, "127.0.0.1", 80) == (
        "sandbox Platform at http://127.0.0.1:80: an hour lasts 4 s; it remembers 7 micro-batches "
        "and 9 failed lines"
    )


def test_a_taken_port_is_said_in_one_line() -> None:
    app = typer.Typer()
    app.command()(sandbox)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = CliRunner().invoke(app, ["--port", str(port)])

    assert result.exit_code == 2
    assert "cannot listen at" in result.output
