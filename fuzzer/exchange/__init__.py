"""Scenarios in the words of other tools."""
