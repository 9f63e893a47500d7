"""What keeps a run from doing harm that nobody wanted: what refuses it, what ends it."""
