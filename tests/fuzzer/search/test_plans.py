"""Plans without Hypothesis are plans all the same, whatever they went through."""

import os
import subprocess
import sys
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuzzer.actions.catalogue import ACTIONS
from fuzzer.scenarios import check_scenario, fold, is_harmful
from fuzzer.search.corpus import Corpus
from fuzzer.search.mutation import Mutation
from fuzzer.search.plans import Plans
from fuzzer.search.worth import Worth
from models.expected import Expected
from models.scenario import Scenario
from tests.support.fake_fleet import SHOP, opted, target_of

TARGET = opted(target_of(*SHOP, published=("checkout",)))
MOST = 9


def plans(seed):
    return Plans(TARGET, ACTIONS, MOST, Random(seed))


def could_be_drawn(plan):
    start = Expected(TARGET.topology, TARGET.limits.recovery_s_max)
    return all(ACTIONS[step.action].applies(step, TARGET, before) for step, before, _ in fold(plan, start))


@given(st.integers(0, 10_000))
@settings(max_examples=100, deadline=None)
def test_a_fresh_plan_may_be_played(seed):
    plan = plans(seed).fresh()
    assert 0 < len(plan) <= MOST
    check_scenario(plan, TARGET)
    assert could_be_drawn(plan)


@given(st.integers(0, 10_000))
@settings(max_examples=150, deadline=None)
def test_so_may_every_child(seed):
    random = Random(seed)
    some = Plans(TARGET, ACTIONS, MOST, random)
    parent, other = some.fresh(), some.fresh()
    child = Mutation(some, MOST, random).child(parent, other)
    assert len(child) <= MOST
    check_scenario(child, TARGET)
    assert could_be_drawn(child)


def test_what_makes_no_sense_any_more_is_left_out():
    steps = Scenario.parse("unpause db; pause db; pause db; start checkout; wait 1s; unpause db").steps
    assert str(plans(1).repaired(steps)) == "pause db; wait 1s; unpause db"


@pytest.mark.parametrize("name", ACTIONS)
def test_every_action_draws_what_may_be_written(name):
    start = Expected(TARGET.topology, TARGET.limits.recovery_s_max)
    [*_, (_, _, later)] = fold(Scenario.parse("kill db; pause gateway"), start)
    action = ACTIONS[name]
    drawn = 0
    for situation in (start, later):
        for seed in range(50):
            if action.candidates(TARGET, situation):
                step = action.draw(TARGET, situation, Random(seed).choice)
                drawn += 1
                action.check(step, TARGET)
                assert action.applies(step, TARGET, situation)
                for param in action.params:
                    assert param.least <= step.number_or(param.name, param.least) <= param.most
    assert drawn, "it is never drawn at all"


SAME = """
from tests.fuzzer.search.test_plans import proposals
print(*proposals(4), sep="\\n")
"""


def proposals(seed, count=60):
    """What a corpus proposes that is told that every plan showed what its first step is."""
    corpus = Corpus(TARGET, ACTIONS, steps=MOST, random=Random(seed))
    for number in range(count):
        plan = corpus.propose()
        corpus.learn(
            plan, Worth(features=(("first", str(plan[0])), ("length", str(len(plan)))), within=number % 3)
        )
        yield plan


def test_every_proposal_does_harm_and_hardly_any_is_made_twice():
    made = list(proposals(1, 300))
    assert all(map(is_harmful, made))
    assert len(set(made)) > 295


def test_the_same_seed_proposes_the_same_whatever_the_hash_seed():
    said = [
        subprocess.run(
            [sys.executable, "-c", SAME],
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.getcwd()},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    ]
    assert said[0] == said[1]
    assert said[0].splitlines() == [str(plan) for plan in proposals(4)]
    assert list(proposals(4)) != list(proposals(5))


def test_a_corpus_climbs_where_chance_walks_by():
    """Three faults in one order; each that was reached in turn shows."""
    wanted = ("pause db", "kill checkout", "restart gateway")
    few = {
        name: ACTIONS[name] for name in ("crash", "kill", "stop", "pause", "restart", "wait", "load", "heal")
    }

    def reached(plan):
        count = 0
        for step in plan:
            count += count < len(wanted) and str(step) == wanted[count]
        return count

    def corpus(seed, most):
        search = Corpus(TARGET, few, steps=5, random=Random(seed))
        for number in range(1, most + 1):
            plan = search.propose()
            if reached(plan) == len(wanted):
                return number
            search.learn(plan, Worth(features=tuple(("state", str(n)) for n in range(reached(plan)))))
        return most + 1

    def chance(seed, most):
        some = Plans(TARGET, few, 5, Random(seed))
        tries = (reached(some.fresh()) == len(wanted) for _ in range(most))
        return next((number for number, found in enumerate(tries, 1) if found), most + 1)

    most = 3000
    assert sum(corpus(seed, most) for seed in range(5)) < 0.75 * sum(chance(seed, most) for seed in range(5))
