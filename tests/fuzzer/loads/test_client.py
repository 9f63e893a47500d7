"""Requests against real sockets, most of them behind bad servers."""

import errno
import socket
import struct
import subprocess
import threading
import time

import pytest

from fuzzer.loads import answers, connection
from fuzzer.loads.answers import Answer
from fuzzer.loads.client import Client
from fuzzer.loads.order import Target
from tests.fuzzer.loads.conftest import BUSY_S, drip, until
from tests.fuzzer.probes.servers import OK, once, polite, requests, serving

GRACE_S = 15.0  # a busy machine; less than what the worst servers would take


def target(server, method="GET", path="/", headers=None, body=None, expect=None):
    url = server if isinstance(server, str) else f"http://127.0.0.1:{server.port}"
    return Target(url, method, path, headers or {}, body, 1.0, expect, False, None)


class Sender:
    """A client, and what became of what it sent."""

    def __init__(self, timeout_s=BUSY_S):
        self.answers = {}
        self.client = Client(timeout_s, self.answers.__setitem__)

    def send(self, asked, count=1):
        kind = self.client.prepare(asked)
        first = len(self.answers) + self.client.under_way
        for number in range(first, first + count):
            self.client.send(kind, f"w{number}", number)

    def ask(self, asked, count=1):
        """Send so many at once, wait for all, and return how they ended, in the order of sending."""
        before = len(self.answers)
        self.send(asked, count)
        while self.client.under_way:
            self.client.work(time.monotonic() + 1.0)
        return [self.answers[number] for number in range(before, before + count)]


def ask(asked, timeout_s=BUSY_S):
    """One request; it must end in time."""
    began_s = time.monotonic()
    [answer] = Sender(timeout_s).ask(asked)
    assert time.monotonic() - began_s < timeout_s + GRACE_S
    return answer


def hang_up_hard(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def test_a_connection_is_kept():
    with serving(polite()) as server:
        sender = Sender()
        assert [sender.ask(target(server)) for _ in range(3)] == [[Answer(200)]] * 3
        assert len(server.connections) == 1


def test_what_is_sent():
    heads = []

    def listen(connection, number):
        connection.settimeout(BUSY_S)
        heads.append(connection.recv(65536))
        connection.sendall(OK)

    with serving(listen) as server:
        headers = {"X-Key": "k-{id}", "user-agent": "me", "X-Bad": "a\r\nX-More: b"}
        assert ask(target(server, "PUT", "/ä?n={id}", headers, '{"n": "{id}"}')) == Answer(200)
    head, _, body = heads[0].partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[0] == b"PUT /%C3%A4?n=w0 HTTP/1.1"
    assert {
        b"X-Key: k-w0",
        b"user-agent: me",
        b"Content-Length: 11",
        b"Content-Type: application/json",
    } <= set(lines)
    assert f"Host: 127.0.0.1:{server.port}".encode() in lines
    assert not any(line.startswith((b"User-Agent", b"X-More")) for line in lines)
    assert body == b'{"n": "w0"}'


def test_a_kept_connection_that_an_idle_server_closed_is_no_error():
    with serving(once(OK)) as server:
        sender = Sender()
        for number in range(5):
            assert sender.ask(target(server)) == [Answer(200)]
            deadline_s = time.monotonic() + BUSY_S
            while server.connections[number].fileno() != -1:  # until it has closed
                assert time.monotonic() < deadline_s
                time.sleep(0.005)
        assert len(server.connections) == 5


def test_an_idle_connection_that_ends_is_not_kept_in_the_books():
    """A selector that is never told of it would report it for ever, and keep a core busy."""
    with serving(once(OK)) as server:
        sender = Sender()
        sender.ask(target(server), 3)
        until_s = time.monotonic() + BUSY_S
        while len(sender.client._selector.get_map()) and time.monotonic() < until_s:
            sender.client.work(time.monotonic() + 0.05)
        assert not sender.client._selector.get_map()


def never(connection, number):
    connection.settimeout(BUSY_S)
    while connection.recv(4096):
        pass


def dripping(data, at_once=b""):
    def manners(connection, number):
        next(requests(connection))
        connection.sendall(at_once)
        drip(connection, data)

    return manners


@pytest.mark.parametrize(
    ("manners", "answer"),
    [
        (lambda connection, number: connection.close(), Answer(None, "reset")),
        (lambda connection, number: hang_up_hard(connection), Answer(None, "reset")),
        (once(b""), Answer(None, "reset")),
        (once(b"HTTP/1.1 200 OK\r\nContent-Le"), Answer(None, "reset")),
        (once(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"), Answer(200, "reset")),
        (once(b"HTTP/1.1 200 OK\r\n\r\nuntil closed"), Answer(200)),
        (once(b"HTTP/1.0 404 No\r\n\r\n"), Answer(404)),
        (once(b"hello\r\n"), Answer(None, "garbage")),
        (once(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"), Answer(200, "too-large")),
        (dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), Answer(200)),
    ],
)
def test_what_servers_do(manners, answer):
    with serving(manners) as server:
        assert ask(target(server)) == answer


@pytest.mark.parametrize(
    ("manners", "answer"),
    [
        (never, Answer(None, "timeout")),
        (dripping(b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 1000), Answer(None, "timeout")),
        (dripping(b"x" * 5000, b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n"), Answer(200, "timeout")),
        (dripping(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000), Answer(None, "timeout")),
    ],
)
def test_nothing_lasts_longer_than_its_time(manners, answer):
    with serving(manners) as server:
        assert ask(target(server), timeout_s=0.5) == answer


def test_nobody_there():
    with serving(polite()) as server:
        url = f"http://127.0.0.1:{server.port}"
    assert ask(target(url)) == Answer(None, "refused")


def test_a_name_that_does_not_exist():
    assert ask(target("http://nowhere.invalid:80")) == Answer(None, "dns")


def test_a_name_that_cannot_be_a_name():
    assert ask(target(f"http://{'x' * 70}.example:80")) == Answer(None, "dns")


def test_a_resolver_that_hangs_stalls_nothing(monkeypatch):
    monkeypatch.setattr(connection, "LOOK_AGAIN_S", 0.2)
    monkeypatch.setattr(connection.socket, "getaddrinfo", lambda *_, **__: time.sleep(BUSY_S) or [])
    assert ask(target("http://slow.example:80"), timeout_s=1.0) == Answer(None, "dns")


def test_the_next_address_is_tried():
    with serving(polite()) as server, serving(polite()) as gone:
        gone.close()
        sender = Sender()
        kind = sender.client.prepare(target(server))
        [(family, address)] = kind.origin.addresses
        kind.origin.addresses = ((family, ("127.0.0.1", gone.port)), (family, address))
        assert sender.ask(target(server)) == [Answer(200)]
        kind.origin.addresses = ((family, ("127.0.0.1", gone.port)),) * 2
        assert sender.ask(target(server)) == [Answer(200)]  # on the connection that is kept
        server.close()
        assert sender.ask(target(server)) == [Answer(None, "refused")]


def test_ten_megabytes_are_read_and_forgotten():
    body = b"x" * (10 << 20)
    with serving(polite(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)) as server:
        sender = Sender()
        assert sender.ask(target(server, expect="xxx"), 3) == [Answer(200)] * 3
        assert sender.ask(target(server, expect="y")) == [Answer(200, "wrong-body")]


def test_an_answer_without_end_is_too_large(monkeypatch):
    monkeypatch.setattr(answers, "READ_MOST_BYTES", 4 << 20)

    def endless(connection, number):
        next(requests(connection))
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65536)

    with serving(endless) as server:
        assert ask(target(server)) == Answer(200, "too-large")


def test_a_server_may_answer_before_it_has_read_everything():
    over = threading.Event()

    def impatient(connection, number):
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        over.wait(BUSY_S)  # who read on could have taken in all of it before the client sees the answer

    with serving(impatient) as server:
        sender = Sender()
        assert sender.ask(target(server, "POST", body="x" * (20 << 20))) == [Answer(413)]
        assert sender.ask(target(server)) == [Answer(413)]
        assert len(server.connections) == 2  # half a request still stands in the first
        over.set()


def test_a_connection_on_which_somebody_talks_out_of_turn_is_not_used_again():
    """Else an answer would be taken for that of another request."""
    with serving(polite(OK + b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n")) as server:
        sender = Sender()
        assert [sender.ask(target(server)) for _ in range(3)] == [[Answer(200)]] * 3
        assert len(server.connections) == 3


def test_those_that_hang_hold_up_nobody():
    with serving(never) as dead, serving(polite()) as alive:
        sender = Sender()
        sender.send(target(dead), 200)
        began_s = time.monotonic()
        sender.send(target(alive), 50)
        while len(sender.answers) < 50:
            sender.client.work(time.monotonic() + 0.1)
            assert time.monotonic() - began_s < BUSY_S
        assert set(sender.answers.values()) == {Answer(200)}
        assert sender.client.under_way == 200


def test_when_there_are_no_more_sockets_it_is_not_the_servers_fault(monkeypatch):
    def no_more(*_):
        raise OSError(errno.EMFILE, "Too many open files")

    with serving(polite()) as server:
        sender = Sender()
        asked = target(server)
        sender.client.prepare(asked)
        monkeypatch.setattr(connection.socket, "socket", no_more)
        assert sender.ask(asked) == [Answer(None, "unsent")]


def test_being_away_is_known():
    with serving(polite()) as server:
        sender = Sender()
        sender.send(target(server))
        time.sleep(0.3)  # the answer came, and nobody looked
        sender.client.work(time.monotonic())
        assert sender.client.away_s > 0.25
        until(lambda: _works_undisturbed(sender.client))


def _works_undisturbed(client):
    """Whether waiting is not taken for being away; a busy machine may need a few tries."""
    client.work(time.monotonic() + 0.3)
    return client.away_s < 0.2


def test_plain_http_where_tls_is_expected():
    def answer_anything(connection, number):
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    with serving(answer_anything) as server:
        assert ask(target(f"https://127.0.0.1:{server.port}")) == Answer(None, "tls")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    command = (
        "openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=localhost"
    )
    alternatives = ["-addext", "subjectAltName=IP:127.0.0.1"]
    try:
        subprocess.run([*command.split(), *alternatives], cwd=folder, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no certificate can be made here: {error}")
    return folder


def over_tls(certificate, manners):
    context = connection.ssl.SSLContext(connection.ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")

    def wrapped(plain, number):
        with context.wrap_socket(plain, server_side=True) as secured:
            manners(secured, number)

    return wrapped


def test_tls(certificate, monkeypatch):
    body = b"x" * 300_000
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    with serving(over_tls(certificate, polite(answer))) as server:
        url = f"https://127.0.0.1:{server.port}"
        assert ask(target(url)) == Answer(None, "tls")  # nobody vouches for it
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "cert.pem"))
        sender = Sender()
        assert sender.ask(target(url, expect="x" * 1000), 3) == [Answer(200)] * 3
        assert sender.ask(target(url)) == [Answer(200)]
        assert len(server.connections) == 4
