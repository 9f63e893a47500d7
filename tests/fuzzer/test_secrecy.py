"""What is secret, and that it is hidden wherever it appears; and nothing else is."""

import base64
import json
from urllib.parse import quote

import pytest

from fuzzer.secrecy import Secrets, is_secret, public_part


@pytest.fixture
def secrets() -> Secrets:
    return Secrets()


@pytest.mark.parametrize(
    "name",
    [
        "DB_PASSWORD", "PGPASSWORD", "MYSQL_PWD", "db.pass", "API_TOKEN", "githubToken", "apiKey",
        "X-Api-Key", "AWS_SECRET_ACCESS_KEY", "PRIVATE_KEY", "Authorization", "Cookie", "REDIS_AUTH",
        "--token", "JWT", "AZURE_STORAGE_CONNECTION_STRING", "CREDENTIALS", "PASSPHRASE",
    ],
)  # fmt: skip
def test_names_that_say_that_their_value_is_secret(name):
    assert is_secret(name)


@pytest.mark.parametrize(
    "name",
    [
        "PWD", "OLDPWD", "POSTGRES_PASSWORD_FILE", "AUTH_URL", "AUTH_SERVICE", "TOKEN_TTL", "SSH_AUTH_SOCK",
        "COMPASS", "PASSENGERS", "KEYSPACE", "ORDERS_DB_URL", "PATH", "TOKENIZER_PATH", "PASSWORD_MIN_LENGTH",
    ],
)  # fmt: skip
def test_names_that_do_not(name):
    assert not is_secret(name)


VALUE = 'pa"ss wörd/1%'


@pytest.mark.parametrize(
    "form",
    [
        VALUE,
        json.dumps(VALUE),
        json.dumps(VALUE, ensure_ascii=False),
        repr(VALUE),
        quote(VALUE, safe=""),
        quote(VALUE),
        base64.b64encode(VALUE.encode()).decode(),
    ],
    ids=["plain", "JSON", "JSON with umlauts", "repr", "URL", "path", "base64"],
)
def test_a_value_is_hidden_however_it_is_written(secrets, form):
    secrets.learn({"DB_PASSWORD": VALUE})
    assert secrets.hidden(f"it said <{form}> twice: {form}").count("***") == 2
    assert form.strip("\"'") not in secrets.hidden(f"it said <{form}>")


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("postgres://me:hunter22@db:5432/x", "postgres://***@db:5432/x"),
        ("GET http://tok@host/: refused", "GET http://***@host/: refused"),
        ("http://a:p@ss@host/", "http://***@host/"),
        ("GET /x?token=abc&n=1", "GET /x?token=***&n=1"),
        ("PASSWORD=abc NAME=x", "PASSWORD=*** NAME=x"),
        ('{"password": "q", "n": "x"}', '{"password": "***", "n": "x"}'),
        ("Authorization: Basic Zm9v\nnext", "Authorization: ***\nnext"),
        ("sent bearer abcdefgh12", "sent bearer ***"),
        ("TOKEN: found 3; expected a name", "TOKEN: found 3; expected a name"),
        ("http://host:80/a@b", "http://host:80/a@b"),
        ("checkout-service -> orders-db", "checkout-service -> orders-db"),
    ],
)
def test_what_stands_where_a_secret_stands_is_hidden_whoever_wrote_it(secrets, text, hidden):
    assert secrets.hidden(text) == hidden


def test_users_of_urls_are_learnt_wherever_they_appear_later(secrets):
    secrets.learn({"DB": "postgres://me:h%40nter22x@db/orders"})
    assert secrets.hidden("no password h@nter22x, nor h%40nter22x") == "no password ***, nor ***"
    basic = base64.b64encode(b"me:h@nter22x").decode()
    assert basic not in secrets.hidden(f"sent {basic}")


@pytest.mark.parametrize(
    ("words", "value"),
    [
        (["hey", "-H", "Authorization: Bearer tok-1234567"], "tok-1234567"),
        (["k6", "run", "--env", "API_TOKEN=tok-1234567", "x.js"], "tok-1234567"),
        (["hey", "-a", "bob:tok-1234567", "http://x/"], "tok-1234567"),
        (["tool", "--api-key", "tok-1234567"], "tok-1234567"),
        (["tool", "--password=tok-1234567"], "tok-1234567"),
    ],
    ids=["header", "variable", "user", "option", "option ="],
)
def test_secrets_in_a_command_are_learnt(secrets, words, value):
    secrets.learn_words(words)
    assert secrets.hidden(f"{value} was refused") == "*** was refused"
    fresh = Secrets()
    fresh.learn_text(" ".join(words))
    assert fresh.hidden(f"{value} was refused") == "*** was refused", "as one text, too"


def test_names_of_the_target_stay_readable(secrets):
    secrets.learn({"POSTGRES_PASSWORD": "postgres", "X_TOKEN": "order", "Y_TOKEN": "checkout"})
    secrets.never_hide(["postgres", "checkout-service"])
    text = "postgres was down; orders-db up; checkout-service held; order"
    assert secrets.hidden(text) == "postgres was down; orders-db up; checkout-service held; ***"
    assert secrets.hidden("PASSWORD=postgres") == "PASSWORD=***", "there it is hidden by its place"


def test_a_value_that_tells_nothing_hides_nothing(secrets):
    secrets.learn({"A_TOKEN": "1", "B_SECRET": "true", "C_PASSWORD": "", "D_TOKEN": "db"})
    assert secrets.hidden("1 true db") == "1 true db"


def test_what_is_told_apart_by_an_environment_needs_no_secret():
    assert public_part("DB_PASSWORD", "x") == public_part("DB_PASSWORD", "y")
    assert public_part("DB", "pg://a:b@db/x") == public_part("DB", "pg://c:d@db/x")
    assert public_part("DB", "pg://a:b@db/x") != public_part("DB", "pg://a:b@db/y")
