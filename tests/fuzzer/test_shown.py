"""Nothing that a service says can drive a terminal, or turn a line around."""

import pytest

from fuzzer.secrecy import SECRETS
from fuzzer.shown import escaped, shown, without_secrets


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("\x1b[2J\x1b]0;title\x07", r"\x1b[2J\x1b]0;title\x07"),
        ("\x9b31m", r"\x9b31m"),
        ("fine\rwrong\x08", r"fine\rwrong\x08"),
        ("a\u202eb\u2066c\u200bd", r"a\u202eb\u2066c\u200bd"),
        ("half \udcff", r"half \udcff"),
        ("lines\nand\ttabs, wörter 世界", "lines\nand\ttabs, wörter 世界"),
    ],
    ids=["escape", "C1", "return", "turned around", "surrogate", "ordinary"],
)
def test_control_characters_are_told_by_their_numbers(text, told):
    assert escaped(text) == told
    assert shown(text) == told


def test_secrets_are_taken_out_of_plain_data_but_not_of_its_keys():
    SECRETS.learn({"A_TOKEN": "tok-1234567"})
    data = {"detail": ["tok-1234567", 3, None, True], "tok-1234567": {"x": "a tok-1234567"}}
    assert without_secrets(data) == {"detail": ["***", 3, None, True], "tok-1234567": {"x": "a ***"}}
