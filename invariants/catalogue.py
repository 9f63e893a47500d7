"""Every invariant, the gravest first: of several violations the first in this order names the finding."""

from __future__ import annotations

from invariants.amplification import Amplification
from invariants.availability import Availability
from invariants.base import Invariant
from invariants.containment import Containment
from invariants.durability import Durability
from invariants.error_rate import ErrorRate
from invariants.fail_fast import FailFast
from invariants.graceful_degradation import GracefulDegradation
from invariants.isolation import Isolation
from invariants.latency import Latency
from invariants.metastability import Metastability
from invariants.recovery import Recovery
from invariants.restart_storm import RestartStorm
from invariants.steady_state import SteadyState

TO_CLIENTS = (
    Durability.name,
    Metastability.name,
    GracefulDegradation.name,
    Availability.name,
    FailFast.name,
    Amplification.name,
    ErrorRate.name,
    Latency.name,
)
"""Those about what clients see: they are judged once a scenario was played to its end."""

INVARIANTS: tuple[Invariant, ...] = (
    Isolation(),
    Durability(),
    Containment(),
    Recovery(),
    RestartStorm(),
    SteadyState(),
    Metastability(),
    GracefulDegradation(),
    Availability(),
    FailFast(),
    Amplification(),
    ErrorRate(),
    Latency(),
)
