"""What Go, Node and Python say of a failed request, in our words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzzer.loads.outside.words import endpoint_of, kind_of, origin_of


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ('Get "http://127.0.0.1:1/": dial tcp 127.0.0.1:1: connect: connection refused', "refused"),
        (
            'Get "http://a/": context deadline exceeded (Client.Timeout exceeded while awaiting headers)',
            "timeout",
        ),
        ('Get "http://a/": dial tcp: lookup a on 127.0.0.11:53: no such host', "dns"),
        ('Get "http://a/": dial tcp: lookup a: i/o timeout', "dns"),
        ('Get "http://127.0.0.1:1/": EOF', "reset"),
        ("read tcp 127.0.0.1:2->127.0.0.1:1: read: connection reset by peer", "reset"),
        ("dial tcp 127.0.0.1:1: socket: too many open files", "unsent"),
        ("dial tcp 127.0.0.1:1: connect: cannot assign requested address", "unsent"),
        ("dial tcp 10.0.0.1:80: connect: no route to host", "unreachable"),
        ("net/http: TLS handshake timeout", "timeout"),
        ("x509: certificate signed by unknown authority", "tls"),
        ('malformed HTTP response "hello"', "garbage"),
        ("ECONNREFUSED", "refused"),
        ("ECONNRESET", "reset"),
        ("ETIMEDOUT", "timeout"),
        ("EAI_AGAIN", "dns"),
        ("ENOTFOUND", "dns"),
        ("EPIPE", "reset"),
        ("EADDRNOTAVAIL", "unsent"),
        ("DEPTH_ZERO_SELF_SIGNED_CERT", "tls"),
        ("EPROTO", "tls"),
        ("HPE_INVALID_CONSTANT", "garbage"),
        ("Failed capture or match", "wrong-body"),
        ("ConnectionRefusedError(111, 'Connection refused')", "refused"),
        (
            "ConnectionError(ProtocolError('Connection aborted.', RemoteDisconnected('…')))",
            "reset",
        ),
        ("RemoteDisconnected('Remote end closed connection without response')", "reset"),
        ("gaierror(-2, 'Name or service not known')", "dns"),
        ("ReadTimeout(ReadTimeoutError('Read timed out.'))", "timeout"),
        ("HTTPError('503 Server Error: Service Unavailable for url: /broken')", "HTTP 503"),
        ("BadStatusCode('http://127.0.0.1:1/', code=404)", "HTTP 404"),
        ("LocustBadStatusCode(code=503)", "HTTP 503"),
        ("HTTPConnectionClosed('connection closed.')", "reset"),
        ("CatchResponseError('too slow')", "wrong-body"),
        ("KeyError('id')", "unsent"),
    ],
)
def test_an_error_is_known_by_what_is_said(said, kind):
    assert kind_of(said) == kind


@pytest.mark.parametrize(
    ("method", "name", "endpoint"),
    [
        ("get", "http://127.0.0.1:8000/products?page=2", "GET /products"),
        ("GET", "http://127.0.0.1:8000", "GET /"),
        ("POST", "/checkout", "POST /checkout"),
        ("GET", "GET /items/[id]", "GET /items/[id]"),
        ("GET", "product page", "GET product page"),
        ("", "/products", "/products"),
        ("GET", "http://[::1/", "GET http://[::1/"),
    ],
)
def test_an_endpoint_has_a_method_and_a_path(method, name, endpoint):
    assert endpoint_of(method, name) == endpoint


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("http://LocalHost/", "http://localhost:80"),
        ("https://a:8443/x", "https://a:8443"),
        ("http://[::1]:80/", "http://[::1]:80"),
        ("/products", ""),
        ("http://a:x/", ""),
        ("http://[::1/", ""),
    ],
)
def test_an_origin_always_has_its_port(url, origin):
    assert origin_of(url) == origin


@given(st.text(), st.text())
def test_any_text_is_taken(method, name):
    assert isinstance(endpoint_of(method, name) + origin_of(name) + kind_of(name), str)
