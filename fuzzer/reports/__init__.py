"""Listeners to the events of a run."""
