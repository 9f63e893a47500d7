"""What every runtime promises whose connections can be harmed: each fault before, during and after.

Seen is each from outside of the fuzzer: by a process of its own, at the very address that the caller was
told, and for another caller of the same dependency as well, whom it must not concern.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from statistics import median

import pytest

from fuzzer.actions.base import Stage
from fuzzer.actions.base_link import LinkFault
from fuzzer.actions.catalogue import ACTIONS, available
from fuzzer.recorder import Recorder
from models.step import Step
from tests.conformance.conftest import SHOP, Wired
from tests.support.waiting import until
from tests.support.watchdogs import end_watchdog_of

HARMED = "checkout-service", "product-service"
OTHER = "api-gateway", "product-service"


def answered(seen):
    return [one for one in seen if one["first_ms"] is not None]


def is_well(seen):
    return len(answered(seen)) == len(seen) and all(one["status"] == 200 for one in seen)


def later_ms(before, during, key="first_ms"):
    return median(one[key] for one in during) - median(one[key] for one in before)


def silent(before, during):
    return all(one["error"] == "timeout" and one["size"] == 0 for one in during)


def unanswered(before, during):
    return not answered(during) and all(one["error"] != "timeout" for one in during)


SHOWS = {
    "latency": ("300ms", 5, lambda b, d: is_well(d) and later_ms(b, d) >= 285),
    "bandwidth": (
        "8kbps",
        3,
        lambda b, d: (
            is_well(d) and later_ms(b, d, "last_ms") >= 0.5 * d[0]["size"]
        ),  # a byte is a millisecond
    ),
    "loss": ("50%", 24, lambda b, d: 0 < sum(one["first_ms"] > 150 for one in answered(d)) < 24),
    "slow_close": ("600ms", 3, lambda b, d: is_well(d) and later_ms(b, d, "last_ms") >= 570),
    "reset": ("", 3, unanswered),
    "refuse": ("", 3, unanswered),
    "blackhole": ("", 2, silent),
    "partition": ("", 2, silent),
    "timeout": ("400ms", 2, lambda b, d: unanswered(b, d) and all(one["last_ms"] >= 380 for one in d)),
    "limit_data": ("bytes=20", 3, lambda b, d: all(one["size"] <= 20 for one in d)),
    "http_error": ("status=503 50%", 24, lambda b, d: {one["status"] for one in d} == {200, 503}),
}


def stage_of(runtime):
    clock = runtime.clock
    recorder = Recorder(runtime.target.topology.services, runtime.target.limits)
    doing = (lambda sending: None, clock.sleep, lambda names: None, lambda turn: None)
    return Stage(runtime.target, runtime, recorder, *doing)


def refused(action, runtime):
    """What is said of a fault that no kernel can do, or that this one cannot."""
    why = action.refusal(runtime)
    assert ("a kernel knows packets and not answers" in why) == (action.name not in BY_A_KERNEL), why
    assert "knockon wire" in why, "and what to do about it"
    return why


BY_A_KERNEL = ("latency", "bandwidth", "loss", "reset", "refuse", "blackhole", "partition")


def test_every_fault_of_links_is_tried():
    assert SHOWS.keys() == {name for name, action in ACTIONS.items() if isinstance(action, LinkFault)}


@pytest.mark.parametrize("name", SHOWS)
def test_a_fault_harms_its_own_connection_until_it_is_undone(wired: Wired, name):
    words, times, shows = SHOWS[name]
    runtime, action = wired.runtime, ACTIONS[name]
    step = Step.parse(f"{name} {' -> '.join(HARMED)} {words}")
    assert isinstance(action, LinkFault)
    if wired.name == "kernel" and name not in available(runtime):
        pytest.skip(refused(action, runtime))
    assert name in available(runtime)
    action.check(step, runtime.target)
    before = wired.ask(*HARMED, times, wired.patience_s)
    assert is_well(before)
    try:
        action.inject(step, stage_of(runtime))
        during = wired.ask(*HARMED, times, 0.6 if shows is silent else wired.patience_s)
        assert shows(before, during), during
        assert is_well(wired.ask(*OTHER, 2, wired.patience_s)), "it is not between those"
    finally:
        for _ in range(2):  # undoing is idempotent
            for undo in action.undo(step):
                runtime.undo(undo)
    after = wired.ask(*HARMED, 5, wired.patience_s)
    assert is_well(after)
    assert later_ms(before, after) < 150


def test_several_kinds_on_one_connection_go_together(wired: Wired):
    runtime = wired.runtime
    link = " -> ".join(HARMED)
    both = (
        ("bandwidth {} 64kbps", "refuse {}")
        if wired.name == "kernel"
        else ("latency {} 200ms", "slow_close {} 200ms")
    )
    for words in both:
        step = Step.parse(words.format(link))
        ACTIONS[step.action].inject(step, stage_of(runtime))
    runtime.undo(ACTIONS["latency"].undo(Step.parse(f"latency {link} 200ms"))[0])
    assert is_well(wired.ask(*HARMED, 2, wired.patience_s))


def test_locally_nothing_is_left_of_a_fuzzer_that_was_killed(tmp_path, wired: Wired):
    """On Docker its proxies live on, and are cleansed: tests/fuzzer/runtimes/docker/test_links.py."""
    if wired.name != "local":
        pytest.skip("what a local fuzzer leaves behind ends as a whole")
    state = tmp_path / "state"
    files = [str(SHOP / name) for name in ("compose.yaml", "compose.hardened.yaml")]
    words = [sys.executable, "-c", "from fuzzer.cli.main import main; main()"]
    options = [word for file in files for word in ("--target", file)] + ["--runtime", "local"]
    options += ["--state", str(state)]
    environ = {**os.environ, "SHOP_PORTS": str(wired.free_ports), "PYTHONPATH": str(SHOP.parents[1])}
    scenario = f"blackhole {' -> '.join(HARMED)}; wait 60s"
    replay = subprocess.Popen(
        [*words, "replay", scenario, "--times", "1", *options],
        env=environ,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert replay.stdout
    for line in replay.stdout:
        if "playing: " in line:
            break
    until(lambda: is_journaled("cleanse", state))
    time.sleep(0.5)
    children = children_of(replay.pid)
    assert any("fuzzer.edges" in command for command in children.values())
    end_watchdog_of(replay.pid)
    replay.send_signal(signal.SIGKILL)
    replay.communicate()
    healed = subprocess.run(
        [*words, "heal", *options], env=environ, capture_output=True, text=True, timeout=60
    )
    assert healed.returncode == 0, healed.stdout + healed.stderr
    assert "ended the fleet of shop" in healed.stdout
    until(lambda: not [pid for pid in children if is_alive(pid)], "something goes on")


def is_journaled(verb: str, state: Path) -> bool:
    for journal in state.rglob("journal.json"):
        with suppress(FileNotFoundError):  # one that holds nothing any more is removed
            if verb in journal.read_text():
                return True
    return False


def children_of(parent: int) -> dict[int, str]:
    """The processes that it started, with their command lines."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid=,args="], capture_output=True, text=True, check=True)
    rows = [line.split(None, 2) for line in listed.stdout.splitlines()]
    return {int(pid): args for pid, ppid, args in rows if int(ppid) == parent}


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
