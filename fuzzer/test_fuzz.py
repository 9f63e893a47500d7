"""What ``pytest fuzzer`` runs after the pins: one search within the budget."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fuzzer.plugin import inconclusive, note_halt, violated
from fuzzer.reports.coverage import shortfall
from fuzzer.reports.text import finding_lines

if TYPE_CHECKING:
    from fuzzer.session import Session

UNKNOWN_SHARE_MOST = 0.25


def test_fuzz(knockon_session: Session, pytestconfig: pytest.Config) -> None:
    """No random scenario breaks a promise."""
    summary = knockon_session.campaign().run()
    if summary.halt:
        note_halt(pytestconfig, summary.halt)
    if summary.findings:
        options = knockon_session.config.options()
        violated(
            pytestconfig,
            "\n\n".join("\n".join(finding_lines(finding, options)) for finding in summary.findings),
        )
    if summary.halt:
        inconclusive(pytestconfig, str(summary.halt))
    unknown = len(summary.inconclusive)
    if not summary.scenarios:
        reason = summary.inconclusive[-1] if unknown else summary.ended
        inconclusive(pytestconfig, f"no scenario told anything: {reason}")
    named = knockon_session.config.promises
    untested = [name for name in named if not summary.held[name]]
    if untested:
        inconclusive(pytestconfig, f"no scenario put this to the test: {', '.join(untested)}")
    if summary.gave_up:
        inconclusive(pytestconfig, f"{summary.ended}: {summary.inconclusive[-1]}")
    if unknown > UNKNOWN_SHARE_MOST * (unknown + summary.scenarios):
        inconclusive(
            pytestconfig,
            f"{unknown} of {unknown + summary.scenarios} scenarios told nothing: {summary.inconclusive[-1]}",
        )
    missing = shortfall(summary.coverage, knockon_session.config.min_coverage)
    if missing:
        inconclusive(pytestconfig, missing)
