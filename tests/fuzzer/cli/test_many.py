"""Several services on real processes: parts of groups, and one after the other."""

import sys
from pathlib import Path

import pytest

from tests.fuzzer.cli.conftest import Knockon
from tests.support.ports import free_ports

PROGRAM = Path(__file__).parent / "member.py"

STORE = """\
name: store
x-knockon:
  enabled: true
  limits: {recovery_s_max: 10, observe_s: 0.3, steady_s: 0.2, baseline_s: 1, detection_grace_s: 3}
  safety: {max_faults: 2}
  groups: {store: {members: [n1, n2, n3], tolerates: 2, failover_s: 2}}
services:
"""

MEMBER = """\
  {name}:
    image: x
    restart: unless-stopped
    ports: ["127.0.0.1:{port}:80"]
    x-knockon:
      health: http://127.0.0.1:{port}/health
      role: {{url: "http://127.0.0.1:{port}/role", primary: "^leader 1"}}
      local: {{command: ["{python}", "{program}", "{port}", "{lead}"]}}
"""


@pytest.fixture
def store(tmp_path):
    """Three processes; the second says that it is primary, whatever happens."""
    text = STORE + "".join(
        MEMBER.format(name=f"n{place}", port=port, python=sys.executable, program=PROGRAM, lead=place == 2)
        for place, port in enumerate(free_ports(3), 1)
    )
    file = tmp_path / "compose.yaml"
    file.write_text(text, encoding="utf-8")
    return Knockon("--target", str(file), "--runtime", "local", "--state", str(tmp_path / "state"))


@pytest.mark.parametrize(
    ("scenario", "done"),
    [
        ("kill primaries:store; wait 1s", ["s  kill n2", "n2 exited with code 137; nothing starts it again"]),
        ("pause primaries:store n1; wait 1s", ["s  pause n2 n1", "n1 is frozen"]),
        (
            "crash minority:store n3",
            ["s  crash n1 n3", "n3 exited with code 137; its policy starts it again"],
        ),
        ("stop majority:store", ["s  stop n1 n2", "n2 started"]),
        ("cascade n1 n2 gap_s=0.5", ["s  cascade n1 n2 gap_s=0.5", "n1 exited", "n2 exited", "n1 started"]),
        (
            "rolling_restart",
            ["n1 exited", "n1 started", "n2 exited", "n2 started", "n3 exited", "n3 started"],
        ),
        ("flap n3 times=2 gap_s=0.2", ["n3 exited", "n3 started", "n3 exited", "n3 started"]),
    ],
)
def test_it_is_done_seen_and_survived(store, scenario, done):
    result = store("replay", scenario)
    assert result.exit_code == 0, result.output
    assert "HOLDS" in result.stdout
    rest = result.stdout
    for line in done:
        before, found, rest = rest.partition(line)
        assert found, f"{line!r} not after {before!r}"


def test_a_leader_that_leads_no_more_is_told(store):
    result = store("replay", "kill primaries:store; wait 1s; kill primaries:store")
    assert result.exit_code == 3, result.output
    assert "UNKNOWN: primaries:store: nobody says that it is primary" in result.stdout
    assert "n2 is under a fault already" in result.stdout
