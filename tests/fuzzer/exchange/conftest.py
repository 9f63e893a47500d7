"""One real container."""

from __future__ import annotations

import os
from contextlib import closing
from secrets import token_hex

import pytest

from fuzzer.runtimes.docker.clients import TROUBLE, default_client

IMAGE = "python:3.11-slim"


@pytest.fixture
def container():
    """Its name, and what tells its state."""
    try:
        client = default_client()
        client.inspect_image(IMAGE)
    except TROUBLE as error:
        if os.environ.get("KNOCKON_REQUIRE_DOCKER"):
            pytest.fail(f"no container engine answers: {error}")
        pytest.skip(f"no container engine answers: {error}")
    name = f"kexchange-{token_hex(4)}-web-1"
    with closing(client):
        client.create_container(IMAGE, ["sh", "-c", "sleep 600"], name=name)
        try:
            client.start(name)
            yield name, lambda: client.inspect_container(name)
        finally:
            client.remove_container(name, force=True)
