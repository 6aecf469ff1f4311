"""The API against its own OpenAPI document: schemathesis calls a real driver process with what the document allows and
forbids. No answer is a server error, and each is what the document says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from test_service_planted import Process

from hw_driver.service.routes import ROUTES

sys.path.insert(0, str(Path(__file__).parents[1] / "replay"))
from terminal import ReplayTerminal

EXAMPLES = os.environ.get("CARD_TERMINAL_FUZZ_EXAMPLES", "8")
#: What the document cannot say: which amounts a terminal takes, and that who tries too often is told to wait (429).
NOT_CHECKED = "positive_data_acceptance,ignored_auth"
STOPS = "/v1/stop"
#: schemathesis leaves the document itself out.
NOT_CALLED = {STOPS, "/openapi.json"}


@pytest.fixture
def answers(tmp_path: Path) -> subprocess.CompletedProcess[str]:
    """Schemathesis' report over every operation but the one that ends the driver."""
    with ReplayTerminal("approve") as terminal:
        driver = Process(tmp_path, terminal)
        try:
            command = [
                str(Path(sys.executable).parent / "schemathesis"), "run", f"{driver.ready['url']}/openapi.json",
                "--header", f"Authorization: {driver.headers['Authorization']}", "--no-color", "--seed", "1",
                "--max-examples", EXAMPLES, "--phases", "coverage,fuzzing", "--exclude-path", STOPS,
                "--exclude-checks", NOT_CHECKED, "--generation-database", "none",
            ]  # fmt: skip
            return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        finally:
            driver.stop()
            assert "fault while answering" not in driver.log.read_text()


@pytest.mark.timeout(300)  # it calls some thousand times
def test_the_api_keeps_what_its_document_says(answers: subprocess.CompletedProcess[str]) -> None:
    print(answers.stdout)
    assert answers.returncode == 0, answers.stdout + answers.stderr
    selected = re.search(r"Operations: +([0-9]+) selected", answers.stdout)
    generated = re.search(r"([0-9,]+) generated", answers.stdout)
    operations = sum(route.path not in NOT_CALLED for route in ROUTES)
    assert selected and int(selected[1]) == operations
    assert generated and int(generated[1].replace(",", "")) > 20 * operations
