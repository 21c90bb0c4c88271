"""Every operation of the OpenAPI document is called with made-up input: no server error, no undocumented answer."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from adapters.demo.district import SUBDISTRICT
from tests.acceptance.http_world import Api, api_over
from tests.acceptance.provider import outside_provider

CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_headers_conformance,
    response_schema_conformance, negative_data_rejection, unsupported_method,
]  # fmt: skip
PHASES = [Phase.explicit, Phase.reuse, Phase.generate]
"""What fails is not shrunk: the call is printed as it was."""
EXAMPLES, PARTS = 10, 8
CALLER = (SUBDISTRICT, "officer")


@pytest.fixture(scope="module")
def api(founded: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """The API as a district has it, a provider for signing in included."""
    data = tmp_path_factory.mktemp("anything") / "data"
    shutil.copytree(founded, data)
    with (
        outside_provider() as issuer,
        api_over(data, oidc_issuer=issuer, oidc_client_id="huiyin", oidc_client_secret="s") as found,
    ):
        yield found


@pytest.mark.parametrize("part", range(PARTS))
def test_every_operation_answers_as_the_document_says(api: Api, subtests: pytest.Subtests, part: int) -> None:
    whole = schemathesis.openapi.from_url(f"{api.url}/api/v1/openapi.json")
    said = whole.exclude(operation_id="stream_events")  # its answer has no end: test_http_events.py reads it
    made, leg = api.whistled()
    real = {"case": made["number"], "leg": leg}

    for found in islice(said.get_all_operations(), part, None, PARTS):
        operation = found.ok()
        with subtests.test(operation.label):
            _called_with_anything(operation, api.headers(CALLER), real)


def _called_with_anything(operation: Any, headers: dict[str, str], real: dict[str, str]) -> None:
    """Each input is sent as it was made up, and once more about a case that is there."""

    @given(case=operation.as_strategy())
    @settings(
        max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, phases=PHASES,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    def call(case: Any) -> None:
        case.call_and_validate(headers=headers, checks=CHECKS, allow_redirects=False, timeout=100)
        about = {name: real[name] for name in case.path_parameters or {} if name in real}
        if about:
            case.path_parameters |= about
            case.call_and_validate(
                headers=headers | {"Idempotency-Key": uuid4().hex},
                checks=CHECKS,
                allow_redirects=False,
                timeout=100,
            )

    call()
