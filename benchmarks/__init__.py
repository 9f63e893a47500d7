"""Figures, each with the bar that it is held to. ``python -m benchmarks.NAME``.

Exit codes: 0 every bar is met, 1 one is not, 3 the engine that it needs does not answer.
"""
