"""The same seed does the same: in another process, under another hash seed, in another Python."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from fuzzer.runtimes.sim.runtime import SimRuntime
from tests.fuzzer.runtimes.sim.canonical import canonical
from tests.support.twin import play, play_on, shop


def told_by_a_process(seed: int, hash_seed: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzzer.runtimes.sim.canonical", str(seed)],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return done.stdout


def test_two_processes_with_different_hash_seeds_write_the_same_history():
    assert told_by_a_process(7, "1") == told_by_a_process(7, "2")


def test_another_seed_is_another_history_and_the_same_seed_is_not():
    assert canonical(1) == canonical(1)
    assert canonical(1) != canonical(2)


@pytest.mark.parametrize("scenario", ["crash orders-db; load checkout 2s 20rps; wait 1s"])
def test_a_fleet_anew_does_the_same_as_a_new_one(scenario):
    first = SimRuntime(shop(), seed=3)
    with first:
        play_on(first, "kill orders-db")
    with first.anew() as again:
        assert repr(play_on(again, scenario)) == repr(play(shop(), scenario, seed=3))
