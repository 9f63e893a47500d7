"""Which of several scenarios a twin would have played."""

from fuzzer.events import Played
from fuzzer.search.foresight import Foresight
from models.errors import ScenarioError
from models.scenario import Scenario
from models.verdict import Outcome, Violation

NOVEL, OTHER, THIRD = (Scenario.parse(f"crash {name}") for name in ("a", "b", "c"))
TROUBLE = Violation("isolation", "gateway", 1.0, "gateway exited")


class Twin:
    """Expects trouble where it is told to."""

    def __init__(self, trouble=(), unsure=(), refuses=()):
        self.trouble, self.unsure, self.refuses = trouble, unsure, refuses
        self.asked = []

    def play(self, scenario, purpose="", **_):
        self.asked.append(scenario)
        if scenario in self.refuses:
            raise ScenarioError("not here")
        if scenario in self.trouble:
            return Played(scenario, Outcome.VIOLATED, violations=(TROUBLE,))
        return Played(scenario, Outcome.UNKNOWN if scenario in self.unsure else Outcome.HOLDS)


def choose(twin, *candidates, known=()):
    return Foresight(twin).choose(candidates, known)


def test_without_a_twin_the_most_novel_one_is_played():
    assert choose(None, NOVEL, OTHER) is NOVEL
    assert choose(None) is None
    assert choose(Twin()) is None


def test_trouble_comes_first_then_doubt_then_novelty():
    assert choose(Twin(trouble=[THIRD], unsure=[OTHER]), NOVEL, OTHER, THIRD) is THIRD
    assert choose(Twin(unsure=[OTHER]), NOVEL, OTHER, THIRD) is OTHER
    assert choose(Twin(), NOVEL, OTHER, THIRD) is NOVEL


def test_trouble_that_was_found_already_is_no_reason():
    assert choose(Twin(trouble=[THIRD]), NOVEL, THIRD, known={TROUBLE.signature}) is NOVEL


def test_what_the_twin_cannot_play_is_still_a_candidate():
    assert choose(Twin(refuses=[NOVEL]), NOVEL, OTHER) is NOVEL


def test_a_twin_that_was_wrong_is_not_believed_the_same_again():
    foresight = Foresight(Twin(trouble=[OTHER, THIRD]))
    assert foresight.choose([NOVEL, OTHER], ()) is OTHER
    foresight.compare(Played(OTHER, Outcome.HOLDS))
    assert foresight.choose([NOVEL, THIRD], ()) is NOVEL


def test_what_told_nothing_says_nothing_about_the_twin():
    foresight = Foresight(Twin(trouble=[OTHER, THIRD]))
    foresight.choose([NOVEL, OTHER], ())
    foresight.compare(Played(OTHER, Outcome.UNKNOWN))
    assert foresight.choose([NOVEL, THIRD], ()) is THIRD
