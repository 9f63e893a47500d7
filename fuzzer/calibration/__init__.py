"""How the simulated twin is made like the real fleet: what histories teach, kept as plain data."""
