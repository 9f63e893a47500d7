"""What an editor is told about the keys."""

from __future__ import annotations

import json
from pathlib import Path

from fuzzer.targets.schema import target_schema

FILE = Path(__file__).parents[3] / "docs" / "schema" / "target.schema.json"


def test_the_exported_schema_is_current():
    assert json.loads(FILE.read_text()) == target_schema()


def test_every_key_is_described_for_editors():
    definitions = target_schema()["$defs"]
    assert isinstance(definitions, dict)
    for name, definition in definitions.items():
        assert isinstance(definition, dict)
        properties = definition.get("properties", {})
        assert isinstance(properties, dict)
        for key, schema in properties.items():
            assert isinstance(schema, dict)
            assert name == "Limits" or {"description", "$ref"} & schema.keys(), f"{name}.{key} says nothing"
