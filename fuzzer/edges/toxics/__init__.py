"""What can be done to the traffic of an edge: one toxic a file, named like its type."""
