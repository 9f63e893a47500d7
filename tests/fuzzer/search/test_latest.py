"""What a search remembers does not grow for ever."""

from fuzzer.search.latest import Latest


def test_the_latest_are_remembered_and_the_oldest_forgotten():
    latest = Latest(2)
    for key in "abc":
        latest.put(key, key.upper())
    assert (latest.get("a"), latest.get("b"), latest.get("c")) == (None, "B", "C")
    assert len(latest) == 2


def test_what_is_asked_for_counts_as_late():
    latest = Latest(2)
    latest.put("a", 1)
    latest.put("b", 2)
    assert latest.get("a") == 1
    latest.put("c", 3)
    assert "a" in latest
    assert "b" not in latest


def test_an_entry_is_replaced_and_does_not_count_twice():
    latest = Latest(2)
    for key, value in (("a", 1), ("b", 2), ("a", 3)):
        latest.put(key, value)
    assert (latest.get("a"), latest.get("b")) == (3, 2)
