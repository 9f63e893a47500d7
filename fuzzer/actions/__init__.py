"""What a scenario can do: one file an action."""
