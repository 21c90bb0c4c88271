"""The client, from Temporal's own environment configuration (`TEMPORAL_…`), and what a namespace must know."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import structlog
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from temporalio.envconfig import ClientConfig
from temporalio.plugin import SimplePlugin
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from adapters.telemetry.traces import interceptors
from domain.refusal import Unavailable
from workflows import wording
from workflows.delivery_process import DeliveryProcess
from workflows.import_process import ImportProcess
from workflows.matter_process import MatterProcess
from workflows.summons_process import SummonsProcess

log = structlog.get_logger(__name__)

DEFAULT_ADDRESS = "localhost:7233"
RPC_TIMEOUT = timedelta(seconds=5)
WORKFLOWS = (MatterProcess, SummonsProcess, ImportProcess, DeliveryProcess)
ATTRIBUTES = {
    wording.NUMBER.name: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    wording.PLACE.name: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    wording.STATE.name: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    wording.DUE.name: IndexedValueType.INDEXED_VALUE_TYPE_DATETIME,
}
_NOT_OURS = (RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNIMPLEMENTED)
_OUT_OF_REACH = (
    RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.RESOURCE_EXHAUSTED,
    RPCStatusCode.CANCELLED, RPCStatusCode.UNKNOWN, RPCStatusCode.INTERNAL, RPCStatusCode.ABORTED,
)  # fmt: skip


def passing_runner() -> WorkflowRunner:
    """The sandbox of production: every module passes through (a third of the cost; the tests run the strict one)."""
    return SandboxedWorkflowRunner(restrictions=SandboxRestrictions.default.with_passthrough_all_modules())


def plugin(runner: WorkflowRunner | None = None) -> SimplePlugin:
    """What client, worker and replayer share: the workflows, the runner (the strict sandbox where none is given), traces."""
    return SimplePlugin("huiyin", workflows=WORKFLOWS, workflow_runner=runner, interceptors=interceptors())


async def connect(*, lazy: bool = False, runner: WorkflowRunner | None = None, **overrides: Any) -> Client:
    """A client as `TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`, `TEMPORAL_TLS…`, `TEMPORAL_API_KEY` or a profile say.

    `lazy` connects at the first call, so that a follower starts while Temporal is down; a worker needs a connection
    that stands. `overrides` are arguments of `Client.connect`. Raises Unavailable when not lazy and out of reach.
    """
    config: dict[str, Any] = {
        "target_host": DEFAULT_ADDRESS,
        **ClientConfig.load_client_connect_config(),
        **overrides,
    }
    try:
        return await Client.connect(**config, lazy=lazy, plugins=[plugin(runner)])
    except RuntimeError as error:
        raise Unavailable(
            f"Temporal at {config['target_host']} cannot be reached; start it or check TEMPORAL_ADDRESS."
        ) from error


async def namespace_id(client: Client) -> str:
    """The id that Temporal gave the namespace: another one means that the cluster was lost. Raises Unavailable."""
    with reported():
        found = await client.workflow_service.describe_namespace(
            DescribeNamespaceRequest(namespace=client.namespace), timeout=RPC_TIMEOUT
        )
    return found.namespace_info.id


@contextmanager
def reported() -> Iterator[None]:
    """Temporal out of reach becomes Unavailable: nothing is lost, it is tried again. Other answers pass."""
    try:
        yield
    except RPCError as error:
        if error.status in _OUT_OF_REACH:
            raise Unavailable("Temporal cannot be reached at this moment; it is tried again.") from error
        raise
    except RuntimeError as error:  # a lazy client's first call, when nobody listens
        raise Unavailable("Temporal cannot be reached at this moment; it is tried again.") from error


async def prepare_namespace(client: Client) -> None:
    """Register the search attributes that the namespace does not know yet. Raises Unavailable.

    A managed Temporal may forbid it; then its operator registers them by hand.
    """
    with reported():
        known = await client.operator_service.list_search_attributes(
            ListSearchAttributesRequest(namespace=client.namespace), timeout=RPC_TIMEOUT
        )
        missing = {name: kind for name, kind in ATTRIBUTES.items() if name not in known.custom_attributes}
        if not missing:
            return
        try:
            await client.operator_service.add_search_attributes(
                AddSearchAttributesRequest(namespace=client.namespace, search_attributes=missing),
                timeout=RPC_TIMEOUT,
            )
        except RPCError as error:
            if error.status not in (*_NOT_OURS, RPCStatusCode.ALREADY_EXISTS):
                raise
            log.warning("search attributes not registered", missing=sorted(missing), status=error.status.name)
