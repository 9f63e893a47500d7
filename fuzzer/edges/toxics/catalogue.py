"""All toxics by their type. A file that is not listed here does not exist."""

from __future__ import annotations

from fuzzer.edges.toxics.bandwidth import Bandwidth
from fuzzer.edges.toxics.base import Link
from fuzzer.edges.toxics.http_error import HttpError
from fuzzer.edges.toxics.latency import Latency
from fuzzer.edges.toxics.limit_data import LimitData
from fuzzer.edges.toxics.loss import Loss
from fuzzer.edges.toxics.reset_peer import ResetPeer
from fuzzer.edges.toxics.slicer import Slicer
from fuzzer.edges.toxics.slow_close import SlowClose
from fuzzer.edges.toxics.timeout import Timeout

TOXICS: dict[str, type[Link]] = {
    link.kind: link
    for link in (
        Latency, Bandwidth, SlowClose, Timeout, ResetPeer, Slicer, LimitData, HttpError, Loss
    )
}  # fmt: skip
