"""What can be set, as people, programs and the documentation have it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from hw_driver.option_list import as_markdown
from hw_driver.protocols.registry import PROTOCOLS

CHECKOUT = Path(__file__).resolve().parents[3]
PAGE = CHECKOUT / "docs" / "terminals.md"


def run(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hw_driver", "terminals", *words]
    return subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=60, check=False)


def test_the_documentation_says_what_the_code_takes():
    assert as_markdown(PROTOCOLS.values()) in PAGE.read_text(encoding="utf-8"), "run ./dev/document"


@pytest.mark.parametrize("info", PROTOCOLS.values(), ids=PROTOCOLS)
def test_the_command_names_every_option_and_family(info):
    said = run("--options", info.name)
    assert said.returncode == 0
    lines = said.stdout.splitlines()
    for option in info.options.values():
        assert f"      {option.text}" in lines
        assert any(line.startswith(f"  {option.name} = ") for line in lines)
    assert [preset.name for preset in info.presets if f"  {preset.name}: {preset.text}" not in lines] == []
    assert ("  parity = " in said.stdout) == ("serial" in info.transports)


@pytest.mark.parametrize("info", PROTOCOLS.values(), ids=PROTOCOLS)
def test_programs_get_them_as_json(info):
    listed = json.loads(run("--options", info.name, "--json").stdout)
    assert {option["name"]: option["default"] for option in listed["options"]} == info.defaults
    assert {preset["name"]: preset["options"] for preset in listed["presets"]} == {
        preset.name: preset.options for preset in info.presets
    }
    names = {option["name"] for option in listed["line"]}
    assert ("speed" in names, "tls" in names) == ("serial" in info.transports, "tcp" in info.transports)


def test_an_unknown_protocol_is_answered_with_the_known_ones():
    said = run("--options", "concert-v9")
    assert (said.returncode, said.stdout) == (1, "")
    assert said.stderr.startswith("card-terminal: protocol 'concert-v9' is not known; known are concert-v3, ")
    assert said.stderr.count("\n") == 1


def test_help_shows_how():
    assert "card-terminal terminals --options concert-v2" in run("--help").stdout
