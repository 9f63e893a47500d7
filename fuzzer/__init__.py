"""The upper floors: deeds. Everything that touches processes, engines, clocks and screens."""
