"""Least shares of coverage as people write them: ``pairs=0.8``, ``actions=80%``."""

from __future__ import annotations

import re
from collections.abc import Iterable

from models.coverage import Dimension
from models.errors import RequestError

_NUMBER = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(%?)", re.ASCII)
_EXPECTED = "expected a share from 0 to 1 or a percentage, such as pairs=0.8 or pairs=80%"


def parse_min_coverage(texts: Iterable[str]) -> dict[Dimension, float]:
    """The least share of each dimension, from 0 to 1.

    Raises:
        RequestError: an unknown dimension, one that is given twice, no number, or out of range.
    """
    least: dict[Dimension, float] = {}
    for text in texts:
        name, _, number = (word.strip() for word in text.partition("="))
        if name not in list(Dimension):
            raise RequestError(
                f"--min-coverage: found {text!r}; there is no coverage of {name!r}, "
                f"expected one of: {', '.join(Dimension)}; for example pairs=0.8"
            )
        if name in least:
            raise RequestError(f"--min-coverage: {name} is given twice; expected one share of it")
        least[Dimension(name)] = _share(number, text)
    return least


def _share(number: str, text: str) -> float:
    found = _NUMBER.fullmatch(number)
    if not found:
        raise RequestError(f"--min-coverage: found {text!r}; {_EXPECTED}")
    # Not divided by 100: `33.3%` has to be the same float as 333 of 1000.
    share = float(f"{found[1]}e-2") if found[2] else float(found[1])
    if share > 1:
        raise RequestError(f"--min-coverage: found {text!r}, which is more than all; {_EXPECTED}")
    return share
