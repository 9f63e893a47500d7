"""Rules in a network namespace: what a helper container does to the packets of the container beside it.

It shares the network of one container, keeps its rules for as long as somebody tells it to, and asks over
the very same network. Its Python is all that it needs: it speaks to the kernel itself (``netlink.py``), so
that neither iptables nor tc has to be in any image. Nothing here imports anything that is not sent along
(``fuzzer/runtimes/docker/inside.py``).
"""
