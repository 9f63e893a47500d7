"""A small shop of six HTTP services: the stack that knockon's examples, tests and figures break.

One shop, two ways to run it. *Fragile* is the shop as an incident found it: whatever loses a
dependency exits, so one death takes all six down. *Hardened* is the same shop repaired: it loses
what it must and nothing else. A *flaw* puts one realistic mistake back into the hardened shop, so
that a fuzzer has something precise to find (`shop.flaws` is the table).

The rooms, from the ground up: `settings` (what the environment says), `watch` (is a neighbour
there?), `peers` (calling it), `web` (HTTP), `base` (what every service does), one module for each
service, and `flaws`. Standard library only; imports are few, because every restart pays for them.
"""
