"""A running edge proxy, and edges through it."""

from __future__ import annotations

import itertools

import pytest

from fuzzer.edges.process import EdgeProcess
from tests.fuzzer.edges.rig import Dependency, Edge, HttpDependency


@pytest.fixture(scope="session")
def process():
    with EdgeProcess([], seed=7) as process:
        yield process


NUMBERS = itertools.count()


@pytest.fixture
def edge(process):
    edge = Edge(process, f"edge-{next(NUMBERS)}", Dependency())
    yield edge
    edge.close()


@pytest.fixture
def http_edge(process):
    edge = Edge(process, f"http-{next(NUMBERS)}", HttpDependency())
    yield edge
    edge.close()
