"""Secrets in a compose file, learnt before anything in it is complained about.

Wherever they stand: an entry whose key says so (``environment``, headers of loads, build arguments), an item
``NAME=value``, the words of a command, the user of a URL.
"""

from __future__ import annotations

from fuzzer.secrecy import SECRETS
from models.compose_nodes import ListNode, MapNode, Node, ScalarNode


def learn_secrets(root: Node) -> None:
    """Learn from a whole document, its variables filled in."""
    left = [root]
    seen: set[int] = set()
    while left:
        node = left.pop()
        if id(node) in seen:
            continue  # one that several aliases refer to
        seen.add(id(node))
        match node:
            case ScalarNode(text=text):
                SECRETS.learn_text(text)
            case ListNode(items=items):
                SECRETS.learn_words([item.text for item in items if isinstance(item, ScalarNode)])
                left += [item for item in items if not isinstance(item, ScalarNode)]
            case MapNode(entries=entries):
                for name, entry in entries.items():
                    if isinstance(entry.value, ScalarNode):
                        SECRETS.learn({name: entry.value.text})
                    else:
                        left.append(entry.value)
