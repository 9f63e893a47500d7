"""Scenarios with a name: files of steps in which services, loads and times are still open."""
