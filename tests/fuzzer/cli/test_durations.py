import pytest

from fuzzer.durations import parse_duration
from models.errors import RequestError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90),
        ("90s", 90),
        ("5m", 300),
        ("1h", 3600),
        ("1m30s", 90),
        ("1.5h", 5400),
        ("500ms", 0.5),
        (" 5M ", 300),
    ],
)
def test_a_budget_reads_as_people_write_it(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "x", "5x", "-5", "0", "0s", "inf", "nan", "1e3", "5 m", "١s", "9" * 400]
)
def test_anything_else_is_refused_with_an_example(text):
    with pytest.raises(RequestError, match="such as 90s, 5m or 1h"):
        parse_duration(text)
