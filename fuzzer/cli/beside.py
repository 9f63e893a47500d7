"""An outside load tool that runs beside a scenario."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from fuzzer.loads.outside.catalogue import tool_for
from fuzzer.loads.outside.process import OutsideTool
from fuzzer.session import Session
from fuzzer.tool_traffic import ToolTraffic
from fuzzer.traffic import PassTime
from models.history import History
from models.scenario import Scenario


def beside(
    stack: ExitStack,
    session: Session,
    words: Sequence[str],
    delay_s: float,
    limit_s: float,
    scenario: Scenario,
    pass_time: PassTime,
    history: Callable[[], History],
) -> ToolTraffic:
    """What makes the traffic of a scenario: the tool, from ``delay_s`` before its first step on."""
    tool = tool_for(words)
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="knockon-load-")))
    return ToolTraffic(
        tool.name,
        stack.enter_context(OutsideTool(tool, words, folder)),
        delay_s,
        limit_s,
        session.runtime,
        session.recorder,
        session.target.topology.services,
        pass_time,
    )
