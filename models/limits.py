"""The numbers that invariants check against. Each name ends in its unit."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Limits(BaseModel):
    """What the target promises, and how long the fuzzer looks before it judges.

    Attributes:
        recovery_s_max: after a crash, or after a fault was healed, everything is back within this.
        detection_grace_s: a service outside the blast radius may be unhealthy for this long before
            it counts; it covers one late answer of a busy machine, not an outage.
        observe_s: how long the fleet is watched after the last fault before it is healed, so that
            a cascade has time to show. A hang shows only after the grace and one more probe that
            times out, so it should be longer than both together.
        steady_s: how long everything must be healthy without a break to be called steady.
        health_timeout_s: a health probe without an answer after this has failed.
        health_latency_ms_max: after healing, the median health answer is at most this slow (or
            five times what it was before the first fault, if that is more).
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    recovery_s_max: float = Field(default=30.0, gt=0, le=3600)
    detection_grace_s: float = Field(default=2.0, gt=0, le=600)
    observe_s: float = Field(default=3.5, ge=0, le=600)
    steady_s: float = Field(default=0.5, gt=0, le=600)
    health_timeout_s: float = Field(default=1.0, gt=0, le=60)
    health_latency_ms_max: float = Field(default=500.0, gt=0, le=60_000)
