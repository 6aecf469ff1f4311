"""HTTPS on the driver: made by one command, trusted by a client that trusts nothing else, for its own names only."""

from __future__ import annotations

import json
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from hw_driver.cli import main
from hw_driver.configuration import load
from hw_driver.service.grants import local_grant
from hw_driver.state_folder import StateFolder

ROOT = Path(__file__).parents[3]
FAR = 4_000_000_000


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """The state folder of a driver that has a certificate."""
    config = tmp_path / "driver.toml"
    config.write_text("# kept\n[driver]\nport = 0\n")
    assert main(["certificate", "till1.lan", "127.0.0.1", "--state", str(tmp_path)]) == 0
    config.write_text(config.read_text().replace("[driver.tls]\n", "[driver.tls]\nport = 0\n"))
    return tmp_path


def get(url: str, authority: Path | None, host: str, key: bytes) -> dict[str, Any]:
    """Ask a driver's health as a client whose only trust is `authority`."""
    context = ssl.create_default_context(cafile=str(authority) if authority else None)
    grant = local_grant(key, "local", "", FAR)
    request = urllib.request.Request(f"{url}/v1/health", headers={"Authorization": f"Bearer {grant}", "Host": host})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    with opener.open(request, timeout=20) as response:
        return dict(json.load(response))


def test_a_client_that_trusts_the_authority_gets_through_and_no_other(state: Path) -> None:
    assert "# kept" in (state / "driver.toml").read_text()
    words = [sys.executable, "-m", "hw_driver", "serve", "--state", str(state), "--ready"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, cwd=ROOT, text=True) as driver:
        try:
            assert driver.stdout
            ready = json.loads(driver.stdout.readline())
            key = StateFolder(state).local_key()
            port, authority = ready["tls_port"], state / "tls" / "authority.pem"
            assert port != ready["port"]
            for name in ("till1.lan", "127.0.0.1"):
                assert get(f"https://127.0.0.1:{port}", authority, f"{name}:{port}", key)["status"] == "ok"
            with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
                get(f"https://127.0.0.1:{port}", None, f"127.0.0.1:{port}", key)
            with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
                get(f"https://localhost:{port}", authority, f"localhost:{port}", key)
            with pytest.raises(urllib.error.HTTPError, match="421"):
                get(f"https://127.0.0.1:{port}", authority, f"evil.example:{port}", key)
            assert get(ready["url"], None, f"127.0.0.1:{ready['port']}", key)["status"] == "ok", "HTTP beside it"
        finally:
            driver.terminate()


def test_the_keys_stay_here(state: Path) -> None:
    tls = state / "tls"
    assert {file.name for file in tls.iterdir()} == {"authority.pem", "driver.pem", "driver.key"}
    secrets = [file.name for file in tls.iterdir() if b"PRIVATE KEY" in file.read_bytes()]
    assert secrets == ["driver.key"], "the authority's own key is kept nowhere"
    if sys.platform != "win32":
        assert (tls / "driver.key").stat().st_mode & 0o777 == 0o600
    before = (tls / "authority.pem").read_bytes()
    assert main(["certificate", "till2.lan", "--state", str(state)]) == 0
    assert (tls / "authority.pem").read_bytes() != before
    settings = load(state / "driver.toml", state)
    assert settings.tls


@pytest.mark.parametrize("name", ["ümlaut.example", ""])
def test_names_that_cannot_be(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert main(["certificate", name, "--state", str(tmp_path)]) == 1
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("broken", ["driver.pem", "driver.key"])
def test_a_certificate_that_cannot_be_used_is_said_in_one_line(state: Path, broken: str) -> None:
    (state / "tls" / broken).write_text("nonsense")
    words = [sys.executable, "-m", "hw_driver", "serve", "--state", str(state)]
    done = subprocess.run(words, capture_output=True, text=True, cwd=ROOT, timeout=60, check=False)
    assert done.returncode == 1
    assert "card-terminal certificate" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
