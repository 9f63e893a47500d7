import pytest

from fuzzer.thresholds import parse_min_coverage
from models.coverage import Cells, Coverage, Dimension
from models.errors import RequestError


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("pairs=0.8", 0.8),
        ("pairs=.8", 0.8),
        ("pairs=80%", 0.8),
        ("pairs=33.3%", 0.333),
        (" pairs = 80% ", 0.8),
        ("pairs=1", 1.0),
        ("pairs=1.", 1.0),
        ("pairs=100%", 1.0),
        ("pairs=0", 0.0),
    ],
)
def test_a_share_reads_as_people_write_it(text, share):
    assert parse_min_coverage([text]) == {Dimension.PAIRS: share}


def test_several_are_kept_and_none_is_none():
    assert parse_min_coverage(["pairs=0.5", "actions=90%", "phases=0.1"]) == {
        Dimension.PAIRS: 0.5,
        Dimension.ACTIONS: 0.9,
        Dimension.PHASES: 0.1,
    }
    assert parse_min_coverage([]) == {}


def test_a_percentage_that_is_exactly_reached_is_reached():
    every = tuple((str(number), "crash") for number in range(1000))
    for tenths in range(1001):
        coverage = Coverage({Dimension.ACTIONS: Cells(every, dict.fromkeys(every[:tenths], 1))})
        assert coverage.below(parse_min_coverage([f"actions={tenths / 10}%"])) == ()


@pytest.mark.parametrize(
    ("texts", "says"),
    [
        (["pears=0.8"], r"found 'pears=0.8'; .* expected one of: actions, pairs, phases"),
        (["0.8"], r"found '0.8'; .* expected one of: actions, pairs, phases"),
        ([""], r"found ''; .* expected one of"),
        (["Pairs=1"], r"no coverage of 'Pairs'"),
        (["pairs"], r"found 'pairs'; expected a share from 0 to 1"),
        (["pairs="], r"found 'pairs='; expected a share"),
        (["pairs=most"], r"found 'pairs=most'; expected a share"),
        (["pairs=-0.1"], r"found 'pairs=-0.1'; expected a share"),
        (["pairs=nan"], r"found 'pairs=nan'; expected a share"),
        (["pairs=1e-1"], r"found 'pairs=1e-1'; expected a share"),
        (["pairs=٠.٨"], r"expected a share"),
        (["pairs=0.8%%"], r"expected a share"),
        (["pairs=80"], r"found 'pairs=80', which is more than all; .* such as pairs=0.8 or pairs=80%"),
        (["pairs=100.1%"], r"which is more than all"),
        (["pairs=" + "9" * 400], r"which is more than all"),
        (["pairs=0.5", "pairs=0.6"], r"pairs is given twice"),
    ],
)
def test_anything_else_is_refused_with_what_was_found_and_what_is_expected(texts, says):
    with pytest.raises(RequestError, match=rf"--min-coverage: .*{says}"):
        parse_min_coverage(texts)
