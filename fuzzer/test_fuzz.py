"""What ``pytest fuzzer`` runs after the pins: one search within the budget."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fuzzer.inconclusive import doubt
from fuzzer.plugin import inconclusive, note_halt, violated
from fuzzer.reports.text import finding_lines

if TYPE_CHECKING:
    from fuzzer.session import Session


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
    config = knockon_session.config
    reason = doubt(summary, config.promises, config.min_coverage)
    if reason:
        inconclusive(pytestconfig, reason)
