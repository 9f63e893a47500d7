"""The ground floor: things. Pure values without I/O, clock or randomness."""
