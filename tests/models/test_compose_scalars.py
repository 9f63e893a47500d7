from __future__ import annotations

from math import inf, isnan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.compose_scalars import resolve, surprise


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *(("", None), ("~", None), ("null", None), ("true", True), ("False", False)),
        *(("0", 0), ("-12", -12), ("+3", 3), ("1.5", 1.5), (".5", 0.5), ("1e3", 1000.0), ("-.inf", -inf)),
        *(("y", "y"), ("n", "n"), ("1.2.3", "1.2.3"), ("8003:8003", "8003:8003"), ("127.0.0.1", "127.0.0.1")),
        *(("tRue", "tRue"), ("-", "-"), (".", "."), ("e3", "e3"), ("00:1f", "00:1f"), ("٣", "٣")),
    ],
)
def test_a_word_means_what_all_readers_of_yaml_agree_on(text: str, value: object):
    assert resolve(text) == value
    assert type(resolve(text)) is type(value)


def test_not_a_number_is_a_number_of_yaml():
    number = resolve(".nan")
    assert isinstance(number, float)
    assert isnan(number)


@pytest.mark.parametrize(
    ("word", "reading", "instead"),
    [
        ("no", "which YAML 1.1 reads as false", "false"),
        ("Off", "which YAML 1.1 reads as false", "false"),
        ("YES", "which YAML 1.1 reads as true", "true"),
        ("010", "which YAML 1.1 reads as the number 8", "8"),
        ("0x1F", "which YAML 1.1 reads as the number 31", "31"),
        ("0b11", "which YAML 1.1 reads as the number 3", "3"),
        ("0o17", "which YAML 1.2 reads as the number 15", "15"),
        ("1_000", "which YAML 1.1 reads as a number", "1000"),
        ("22:22", "which YAML 1.1 reads as a number to the base 60", None),
        ("2024-01-31", "which YAML 1.1 reads as a date", None),
        ("2024-01-31T10:00:00Z", "which YAML 1.1 reads as a date", None),
        ("09", "a number with a leading zero, which not all readers of YAML take as decimal", None),
    ],
)
def test_a_word_that_readers_of_yaml_disagree_on_is_told(word: str, reading: str, instead: str | None):
    odd = surprise(word)
    assert odd is not None
    assert (odd.reading, odd.instead) == (reading, instead)
    assert resolve(word) == word


@given(st.text(alphabet="0123456789+-_.:eExobTZ yn", max_size=120))
def test_no_word_is_too_odd_to_be_read(text: str):
    surprise(text)
    resolve(text)


def test_a_long_word_is_read_at_once():
    for text in ("1" * 900_000, "1_" * 450_000 + "x", "1:1" * 300_000, "0x" + "f" * 900_000):
        assert surprise(text) is None
        resolve(text)
