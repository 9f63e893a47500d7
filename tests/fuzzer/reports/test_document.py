"""A run as JSON, and the schemas of what a run leaves."""

import json
from pathlib import Path

import pytest

from fuzzer.reports.document import Document, document
from fuzzer.reports.schema import log_schema, report_schema
from models.verdict import Outcome
from tests.support.logged import end_of, finding_of, run_of, scenario_of

SCHEMAS = Path(__file__).parents[3] / "docs" / "schema"


def test_a_document_holds_all_that_the_log_holds():
    run = run_of(scenario_of(), findings=[finding_of()], end=end_of(), damaged=(4,))
    told = document(run)
    assert (told.run, told.scenarios, told.findings, told.summary) == (
        run.head,
        run.scenarios,
        run.findings,
        run.end,
    )
    assert (told.verdict, told.reason, told.damaged_lines) == (Outcome.VIOLATED, "", (4,))
    assert Document.model_validate_json(told.model_dump_json()) == told


def test_a_reason_stands_only_where_nothing_can_be_said():
    unknown = scenario_of(Outcome.UNKNOWN)
    assert document(run_of(unknown)).reason == "the fleet is not steady"
    assert document(run_of(unknown, scenario_of())).reason == ""


@pytest.mark.parametrize(
    ("file", "schema"), [("report.schema.json", report_schema), ("run-log.schema.json", log_schema)]
)
def test_the_exported_schemas_are_current(file, schema):
    assert json.loads((SCHEMAS / file).read_text()) == schema()


def test_the_schema_asks_for_what_a_document_has():
    told = json.loads(document(run_of(scenario_of(), findings=[finding_of()])).model_dump_json())
    schema = report_schema()
    assert set(schema["required"]) == set(told)
    finding = schema["$defs"]["LoggedFinding"]
    assert set(finding["required"]) == set(told["findings"][0])
