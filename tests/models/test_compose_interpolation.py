from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from models.interpolation import MAX_DEPTH, VariableError, fill

VALUES = {"SET": "value", "EMPTY": "", "OTHER": "other", "DOLLAR": "$SET"}


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("$SET ${SET}", "value value"),
        ("$SET-x ${SET}x", "value-x valuex"),
        ("${SET:-d} ${EMPTY:-d} ${UNSET:-d}", "value d d"),
        ("${SET-d} ${EMPTY-d} ${UNSET-d}", "value  d"),
        ("${SET:+a} ${EMPTY:+a} ${UNSET:+a}", "a  "),
        ("${SET+a} ${EMPTY+a} ${UNSET+a}", "a a "),
        ("${SET:?m} ${SET?m} ${EMPTY?m}", "value value "),
        ("${UNSET:-${EMPTY:-${OTHER}}}", "other"),
        ("${UNSET:-a${OTHER}b$SET}", "aotherbvalue"),
        ("${UNSET-a:-b}", "a:-b"),
        ("$$SET $${SET} $$$SET", "$SET ${SET} $value"),
        ("${UNSET:-$$}", "$"),
        ("${DOLLAR}", "$SET"),
        ("no variables {at} all}", "no variables {at} all}"),
    ],
)
def test_variables_are_filled_in_as_compose_does(text: str, filled: str):
    assert fill(text, VALUES).text == filled


def test_a_variable_that_nothing_sets_is_empty_and_named():
    filled = fill("$GONE ${GONE} ${AWAY} $EMPTY ${SET:-$UNUSED}", VALUES)
    assert filled.text == "    value"
    assert filled.unset == ("GONE", "AWAY")


@pytest.mark.parametrize(
    ("text", "found", "expected"),
    [
        ("$", "'$'", "${NAME}, or $$ for a dollar sign"),
        ("cost: $5", "'$5'", "${NAME}, or $$ for a dollar sign"),
        ("${SET", "'${SET'", "a } that closes it"),
        ("${}", "'${}'", "${NAME}, or $$ for a dollar sign"),
        ("${SET/a/b}", "'${SET/a/b}'", "${NAME}, or $$ for a dollar sign"),
        ("${1}", "'${1}'", "${NAME}, or $$ for a dollar sign"),
        ("${UNSET:?say $OTHER}", "no value for the variable UNSET", "say other"),
        ("${EMPTY:?}", "no value for the variable EMPTY", "it to be set"),
        ("${UNSET?no}", "no value for the variable UNSET", "no"),
    ],
)
def test_what_compose_refuses_is_refused_with_a_reason(text: str, found: str, expected: str):
    with pytest.raises(VariableError) as error:
        fill(text, VALUES)
    assert (error.value.found, error.value.expected) == (found, expected)


def test_nesting_has_an_end():
    with pytest.raises(VariableError):
        fill("${A:-" * (MAX_DEPTH + 2) + "}" * (MAX_DEPTH + 2), {})


def test_a_text_does_not_unfold_without_end():
    with pytest.raises(VariableError):
        fill("$BIG" * 2000, {"BIG": "x" * 1000})


@given(st.text(alphabet="$${}:-?+ABab_1 ", max_size=60))
@example("${A:-${B:-}")
def test_any_text_is_filled_in_or_refused(text: str):
    with suppress(VariableError):
        assert fill(text, {"A": "a", "B": ""}).text.count("$") <= text.count("$$")


@given(st.text(alphabet=st.characters(exclude_characters="$")))
def test_a_text_without_a_dollar_stays_as_it_is(text: str):
    assert fill(text, VALUES).text == text
