"""The set-up's promises: errors of one line that say what to do, steps that are complete or absent, honest counts."""

import os
import socket
import subprocess
import sys
import textwrap

import pytest

from kit.cache import CHECKOUT, Cache
from kit.database import addon_fingerprint
from kit.errors import DISK_FULL, SetupError, explain
from kit.ports import claim, free_port
from kit.results import Result, closing_lines, read_junit

TEST_COMMAND = CHECKOUT / "dev" / "test"


def run_test_command(*words, **variables):
    return subprocess.run(
        [TEST_COMMAND, *words], env={**os.environ, **variables}, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("words", "variables", "status", "told"),
    [
        (["oddo"], {}, 2, "parts are driver, odoo, tours, live, lint"),
        (["odoo"], {"ODOO_HOME": "/nowhere"}, 1, "ODOO_HOME: no Odoo in /nowhere"),
        (["driver"], {"CARD_TERMINAL_CACHE": "/proc/nowhere"}, 1, "set CARD_TERMINAL_CACHE"),
    ],
)
def test_what_is_missing_is_said_in_one_line(words, variables, status, told):
    result = run_test_command(*words, **variables)
    assert result.returncode == status
    assert result.stderr.count("\n") == 1
    assert told in result.stderr
    assert result.stdout == ""


def test_a_database_server_that_does_not_answer_fails_the_part_with_the_reason():
    result = run_test_command("odoo", PGHOST="127.0.0.1", PGPORT=str(free_port()))
    assert result.returncode == 1
    assert "see the PG* variables" in result.stdout
    assert result.stdout.rstrip().endswith("0 passed, 1 failed")


@pytest.mark.parametrize(
    ("output", "told"),
    [
        ("ERROR: Could not install: [Errno 28] No space left on device", DISK_FULL),
        ("W: x\nE: Could not resolve 'mirror'\n", "no network while fetching it"),
        ("reading\nE: Unable to locate package odoo-19\nmore\n", "E: Unable to locate package odoo-19"),
    ],
)
def test_errors_of_programs_are_told_by_their_cause(output, told):
    assert told in str(explain(output, "fetching it", "it.log"))


def test_a_taken_port_is_refused_with_its_number():
    with pytest.raises(SetupError, match="is taken"):
        _hold_and_claim()


def _hold_and_claim():
    with socket.create_server(("127.0.0.1", 0)) as holder:
        claim(holder.getsockname()[1], "Odoo")


def test_a_step_that_was_interrupted_is_not_there_and_goes_on_where_it_was(tmp_path):
    cache = Cache(tmp_path)
    target = cache.path("things", "one")
    with pytest.raises(KeyboardInterrupt), cache.filling(target) as part:
        (part / "half").write_text("done")
        raise KeyboardInterrupt
    assert not cache.has(target)
    assert not target.exists()
    with cache.filling(target) as part:
        assert (part / "half").read_text() == "done"
    assert cache.has(target)


def test_two_set_ups_never_work_at_once(tmp_path):
    script = textwrap.dedent("""
        import sys, pathlib
        from kit.cache import Cache
        with Cache(pathlib.Path(sys.argv[1])).lock("setup", "another"):
            print("mine", flush=True)
            sys.stdin.readline()
    """)
    command = [sys.executable, "-c", script, str(tmp_path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as first:
        assert first.stdout.readline() == "mine\n"
        with subprocess.Popen(command, **pipes) as second:
            assert f"process {first.pid}" in second.stderr.readline()
            first.communicate("go\n")
            assert second.communicate("go\n")[0] == "mine\n"


def test_a_skipped_test_fails_the_run(tmp_path):
    (tmp_path / "test_it.py").write_text(
        "import pytest\ndef test_one(): pass\ndef test_two(): pytest.skip('no browser')\ndef test_three(): assert 0\n"
    )
    report = tmp_path / "report.xml"
    status = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:odoo", f"--junitxml={report}", str(tmp_path)],
        capture_output=True,
        check=False,
    ).returncode
    result = read_junit("part", report, status)
    assert (result.passed, len(result.failed), len(result.skipped)) == (1, 1, 1)
    assert not result.good
    lines = closing_lines([result])
    assert lines[-1] == "1 passed, 2 failed"
    assert any("no browser" in line for line in lines)


def test_a_run_that_broke_off_counts_as_a_failure(tmp_path):
    assert read_junit("part", tmp_path / "none.xml", 137) == Result(
        "part", failed=["pytest ended with status 137"]
    )  # fmt: skip


def test_only_files_that_the_database_depends_on_make_a_new_template(tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "x.py").write_text("1")
    before = addon_fingerprint(tmp_path)
    (tmp_path / "README.md").write_text("new")
    assert addon_fingerprint(tmp_path) == before
    (tmp_path / "models" / "x.py").write_text("2")
    assert addon_fingerprint(tmp_path) != before
