"""A register of entries, kept by etcd: a write is acknowledged when a majority of the members has it."""
