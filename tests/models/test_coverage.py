import pytest

from models.coverage import Cells, Coverage, Dimension, LoadPhase, Mark

A, B, C = ("db", "crash"), ("db", "kill"), ("web", "crash")
CELLS = Cells((A, B, C), exercised={A: 2}, in_vain={A: 1, B: 4})


def test_one_success_outweighs_vain_tries_and_a_vain_try_is_no_success():
    assert [CELLS.mark(cell) for cell in (A, B, C)] == [Mark.EXERCISED, Mark.NO_EFFECT, Mark.NEVER]
    assert CELLS.marked(Mark.NO_EFFECT) == (B,)
    assert CELLS.share == 1 / 3


@pytest.mark.parametrize(("done", "of", "percent"), [(0, 3, 0), (199, 200, 99), (200, 200, 100), (0, 0, 0)])
def test_all_is_said_only_of_all(done, of, percent):
    every = tuple((str(number), "crash") for number in range(of))
    cells = Cells(every, exercised=dict.fromkeys(every[:done], 1))
    assert cells.percent == percent


def test_what_was_exercised_beside_the_map_adds_nothing():
    assert Cells((A, B), exercised={C: 9}).share == 0


def test_a_share_that_is_just_reached_is_enough():
    coverage = Coverage({Dimension.ACTIONS: CELLS})
    assert coverage.below({Dimension.ACTIONS: 1 / 3}) == ()
    assert coverage.below({Dimension.ACTIONS: 0.34}) == (Dimension.ACTIONS,)


def test_what_nobody_mapped_is_below_every_share_but_none():
    empty = Coverage({Dimension.PAIRS: Cells((), undefined="max_faults is 1")})
    assert empty.below({Dimension.PAIRS: 0.1, Dimension.PHASES: 0.1}) == (Dimension.PAIRS, Dimension.PHASES)
    assert empty.below({Dimension.PAIRS: 0.0}) == ()
    assert not empty.tried


def test_a_vain_try_is_a_try():
    assert Coverage({Dimension.ACTIONS: Cells((A,), in_vain={A: 1})}).tried


@pytest.mark.parametrize(
    ("dimension", "cell", "told"),
    [
        (Dimension.ACTIONS, ("db", "crash"), "crash db"),
        (Dimension.PAIRS, ("db", "web"), "db then web"),
        (Dimension.PHASES, ("crash", LoadPhase.LATE), "crash late in load"),
    ],
)
def test_a_cell_reads_as_a_person_says_it(dimension, cell, told):
    assert dimension.told(cell) == told


@pytest.mark.parametrize(
    ("share", "phase"),
    [
        (0.0, LoadPhase.EARLY),
        (0.33, LoadPhase.EARLY),
        (0.34, LoadPhase.MIDWAY),
        (0.66, LoadPhase.MIDWAY),
        (0.67, LoadPhase.LATE),
        (1 - 2**-53, LoadPhase.LATE),
    ],
)
def test_a_load_has_three_thirds(share, phase):
    assert LoadPhase.at(share) is phase
