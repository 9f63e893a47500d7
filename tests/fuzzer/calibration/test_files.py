"""The files of a twin: what is kept, for how long, and what is said about one that cannot be read."""

import json
from dataclasses import replace

import pytest

from fuzzer.calibration.facts import Measured, Reacted, StartedUnclean, StartedWithout, Took
from fuzzer.calibration.files import (
    FLEETS_MOST,
    SIZE_MOST,
    TwinFile,
    beside,
    fleet_name,
    in_state,
    known_of,
    learnt,
    read_twin,
)
from fuzzer.calibration.knowledge import RECENT, KnownFleet
from models.behaviour import Away, Reaction, Response, UncleanHints, Until
from models.errors import RequestError

ERRS = Reacted("checkout", "db", Away.GONE, Response.ERRORS, delay_s=0.05, until=Until.BACK)
EXITS = replace(ERRS, then=Response.EXITS, delay_s=0.9, until=None)


@pytest.fixture
def target(target, tmp_path):
    return replace(target, directory=tmp_path)


def keep(path, target, *facts):
    TwinFile().with_fleet(fleet_name(target), KnownFleet().with_facts(facts)).write(path)


def test_what_is_written_is_read_back(target, tmp_path):
    facts = [Took("db", Measured.START, 0.3), ERRS, StartedWithout("checkout", "db", True)]
    keep(beside(target), target, *facts, StartedUnclean("db", 3))
    hints = learnt(target, tmp_path / "state")
    assert hints["db"].start_s == 0.3
    assert hints["db"].unclean == UncleanHints(exit_code=3)
    assert hints["checkout"].needs_at_start == ["db"]
    assert hints["checkout"].reactions == [Reaction(when={"db": Away.GONE}, then=Response.ERRORS)]


def test_no_file_teaches_nothing(target, tmp_path):
    assert learnt(target, tmp_path / "state") == {}


def test_what_every_run_learnt_counts_more_than_what_stands_beside_the_target(target, tmp_path):
    keep(beside(target), target, ERRS, Took("db", Measured.START, 0.3))
    keep(in_state(tmp_path, target), target, EXITS)
    hints = learnt(target, tmp_path)
    assert [one.then for one in hints["checkout"].reactions] == [Response.EXITS]
    assert hints["db"].start_s == 0.3


def test_another_environment_is_another_fleet(target, tmp_path):
    keep(beside(target), target, ERRS)
    flawed = {**target.services, "db": replace(target.services["db"], environment={"FLAWS": "all"})}
    assert learnt(replace(target, services=flawed), tmp_path) == {}


def test_the_majority_counts_and_the_others_are_told(target):
    known = KnownFleet().with_facts([ERRS, EXITS, ERRS]).services["checkout"]
    [seen] = known.reactions
    assert (seen.then, seen.samples, len(seen.agreeing)) == (Response.ERRORS, 3, 2)


def test_a_fleet_that_was_changed_is_learnt_anew_and_nothing_grows_without_end(target):
    known = KnownFleet().with_facts(
        [ERRS] * 100 + [EXITS] * RECENT + [Took("checkout", Measured.STOP, 1)] * 100
    )
    [seen] = known.services["checkout"].reactions
    assert (seen.then, seen.samples, len(seen.recent)) == (Response.EXITS, 100 + RECENT, RECENT)
    assert len(known.services["checkout"].took[Measured.STOP].recent) == RECENT
    file = TwinFile()
    for number in range(50):
        file = file.with_fleet(f"fleet {number}", known)
    assert list(file.fleets) == [f"fleet {number}" for number in range(50 - FLEETS_MOST, 50)]


def test_that_a_stranger_goes_on_is_no_news_but_a_doubt_about_what_was_seen(target):
    served = Reacted("analytics", "db", Away.GONE, Response.SERVES, declared=False)
    erred = replace(served, then=Response.ERRORS)
    assert KnownFleet().with_facts([served]).services["analytics"].reactions == ()
    [seen] = KnownFleet().with_facts([erred, served]).services["analytics"].reactions
    assert seen.samples == 2


def test_a_start_after_an_unclean_death_is_another_matter_only_if_it_takes_much_longer(target, tmp_path):
    clean, alike, slow = (
        Took("db", what, value)
        for what, value in (
            (Measured.START, 0.3),
            (Measured.UNCLEAN_START, 0.35),
            (Measured.UNCLEAN_START, 35.0),
        )
    )
    keep(beside(target), target, clean, alike)
    assert learnt(target, tmp_path)["db"].unclean is None
    keep(beside(target), target, clean, slow)
    assert learnt(target, tmp_path)["db"].unclean == UncleanHints(start_s=35.0)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "is damaged: no JSON"),
        ("[" * 100_000, "is damaged: no JSON"),
        ("[]", "is no twin; expected an object with knockon_twin and fleets"),
        ('{"knockon_twin": 2}', "has format version 2; this knockon reads up to 1: upgrade it"),
        ('{"knockon_twin": 1, "fleets": {"x": {"scenarios": -1}}}', "is damaged: fleets.x.scenarios"),
        ('{"knockon_twin": 1, "flotes": {}}', "flotes"),
        ('{"knockon_twin": 1, "fleets": {"x": {"services": {"db": {"starts_unclean": '
         '{"samples": 1, "recent": ["often"]}}}}}}', "starts_unclean.recent.0"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_says_which_and_what_to_do(target, tmp_path, text, says):
    beside(target).write_text(text)
    with pytest.raises(RequestError) as caught:
        known_of(target, tmp_path)
    assert says in str(caught.value)
    assert "knockon-twin.json" in str(caught.value)


def test_a_huge_file_is_not_even_read(target, tmp_path):
    with beside(target).open("w") as file:
        file.truncate(SIZE_MOST + 1)
    with pytest.raises(RequestError, match="larger than 16 MiB"):
        read_twin(beside(target))


def test_a_folder_that_cannot_be_written_is_named(target, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RequestError, match=r"knockon-twin.json: cannot be written"):
        TwinFile().write(tmp_path / "file" / "knockon-twin.json")


def test_the_file_is_for_people_too(target):
    keep(beside(target), target, Took("db", Measured.START, 0.30004))
    data = json.loads(beside(target).read_text())
    [fleet] = data["fleets"].values()
    assert fleet["services"]["db"]["took"] == {"start_s": {"samples": 1, "recent": [0.3]}}
