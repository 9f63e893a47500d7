"""The log of a run: one line of JSON an event, from which every report of it can be made again."""
