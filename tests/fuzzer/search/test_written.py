"""Hypothesis writes until it is interrupted, wherever that happens."""

import gc
from contextlib import suppress

import pytest

from fuzzer.actions.catalogue import ACTIONS
from fuzzer.config import example_shop
from fuzzer.search.written import write_plans
from fuzzer.targets.files import load_target


def test_ctrl_c_in_the_middle_of_a_garbage_collection_is_not_lost():
    target = load_target(example_shop(), {})
    actions = {name: ACTIONS[name] for name in ("kill", "wait", "heal")}
    plans = []

    def interrupt(phase, info):
        raise KeyboardInterrupt

    def evaluate(plan):
        plans.append(plan)
        gc.callbacks.append(interrupt)
        with suppress(KeyboardInterrupt):
            gc.collect()
        gc.callbacks.remove(interrupt)

    with pytest.raises(KeyboardInterrupt):
        write_plans(target, actions, evaluate, number=1, steps=4, plans=20)
    assert len(plans) == 1
