"""The JSON Schemas of what a run leaves: its report, and a line of its log. To write them anew::

python -m fuzzer.reports.schema report > docs/schema/report.schema.json
python -m fuzzer.reports.schema log > docs/schema/run-log.schema.json
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping

from fuzzer.reports.document import Document
from fuzzer.runs.lines import LINE
from models.step import Json

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def report_schema() -> dict[str, Json]:
    """What ``knockon report --json`` writes."""
    return {
        "$schema": _DIALECT,
        **Document.model_json_schema(mode="serialization"),
        "title": "A knockon report",
    }


def log_schema() -> dict[str, Json]:
    """One line of ``events.ndjson``."""
    return {"$schema": _DIALECT, **LINE.json_schema(), "title": "A line of the log of a knockon run"}


SCHEMAS: Mapping[str, Callable[[], dict[str, Json]]] = {"report": report_schema, "log": log_schema}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(SCHEMAS[sys.argv[1]](), indent=2) + "\n")
