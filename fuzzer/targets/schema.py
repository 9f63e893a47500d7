"""The JSON Schema of the ``x-knockon`` keys, for editors: ``docs/schema/target.schema.json``.

It describes nothing else of a compose file, so that it can stand beside compose's own schema. To write
it anew::

    python -m fuzzer.targets.schema > docs/schema/target.schema.json
"""

from __future__ import annotations

import json
import sys

from pydantic.json_schema import models_json_schema

from models.compose import ProjectKeys, ServiceKeys
from models.compose_spec import EXTENSION
from models.step import Json


def target_schema() -> dict[str, Json]:
    """The schema as plain data."""
    references, definitions = models_json_schema(
        [(ProjectKeys, "validation"), (ServiceKeys, "validation")],
        ref_template="#/$defs/{model}",
    )
    service = {"type": ["object", "null"], "properties": {EXTENSION: references[ServiceKeys, "validation"]}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"A compose file with {EXTENSION} keys",
        "type": "object",
        "properties": {
            EXTENSION: references[ProjectKeys, "validation"],
            "services": {"type": "object", "additionalProperties": service},
        },
        **definitions,
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(target_schema(), indent=2) + "\n")
