"""Load tools that others made, beside a scenario: k6, Artillery, Locust, hey.

``catalogue`` finds the tool that a command names, ``process`` runs it, and a file a tool knows what makes
it write a report and how that is read. ``words`` puts what they say into ours, ``reading`` never trusts
what it reads, ``capture`` keeps what is printed.
"""
