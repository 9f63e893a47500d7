"""Every invariant, the gravest first: of several violations the first in this order names the finding."""

from __future__ import annotations

from invariants.base import Invariant
from invariants.containment import Containment
from invariants.isolation import Isolation
from invariants.recovery import Recovery
from invariants.steady_state import SteadyState

INVARIANTS: tuple[Invariant, ...] = (Isolation(), Containment(), Recovery(), SteadyState())
