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
        availability_min: the share of an endpoint's requests that is answered well, wherever no fault
            excuses it.
        error_rate_max: the same for a load as a whole, the other way round.
        latency_p95_ms_max: 95 % of the good answers of an endpoint come within this.
        slowdown_max: and within this many times what they took before the first fault.
        answer_s_max: every request is answered within this, if only with an error, unless the very
            service that it enters was harmed.
        amplification_max: requests to a dependency for each request of a client are at most this many
            times what they were before the first fault.
        restarts_per_min_max: a service may restart this often within a minute, beyond what faults did.
        baseline_s: how long a scenario's loads are sent before its first step, and again when all is
            healed, to compare. At low rates longer, for enough samples.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    recovery_s_max: float = Field(default=30.0, gt=0, le=3600)
    detection_grace_s: float = Field(default=2.0, gt=0, le=600)
    observe_s: float = Field(default=3.5, ge=0, le=600)
    steady_s: float = Field(default=0.5, gt=0, le=600)
    health_timeout_s: float = Field(default=1.0, gt=0, le=60)
    health_latency_ms_max: float = Field(default=500.0, gt=0, le=60_000)
    availability_min: float = Field(default=0.999, gt=0, le=1)
    error_rate_max: float = Field(default=0.01, ge=0, lt=1)
    latency_p95_ms_max: float = Field(default=500.0, gt=0, le=600_000)
    slowdown_max: float = Field(default=10.0, gt=1, le=10_000)
    answer_s_max: float = Field(default=3.0, gt=0, le=600)
    amplification_max: float = Field(default=5.0, gt=1, le=10_000)
    restarts_per_min_max: int = Field(default=5, ge=0, le=1000)
    baseline_s: float = Field(default=1.0, gt=0, le=600)
