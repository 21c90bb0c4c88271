"""The servers that other tests stand on do what they promise, and come back after a kill."""

import asyncio
import os
import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from temporalio import workflow
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from tests.servers import PORTS, PostgresServer, TemporalServer, accepts, free_port


@workflow.defn(name="smoke")
class Smoke:
    @workflow.run
    async def run(self, word: str) -> str:
        await workflow.sleep(timedelta(milliseconds=1))
        return word


async def echo(address: str, namespace: str, word: str) -> str:
    client = await Client.connect(address, namespace=namespace)
    runner = UnsandboxedWorkflowRunner()
    async with Worker(client, task_queue="smoke", workflows=[Smoke], workflow_runner=runner):
        return await client.execute_workflow(Smoke.run, word, id=uuid.uuid4().hex, task_queue="smoke")


def count_words(dsn: str) -> int:
    with psycopg.connect(dsn) as connection:
        row = connection.execute("SELECT count(*) FROM word").fetchone()
    assert row is not None
    return int(row[0])


def test_a_free_port_is_not_one_that_clients_are_given() -> None:
    port = free_port()

    assert port in PORTS
    assert not accepts(port)


def test_a_new_database_is_empty_and_knows_chinese_letters(pg_database: str) -> None:
    with psycopg.connect(pg_database) as connection:
        tables = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
        word = connection.execute("SELECT length('事事有回音'), '路' ~ '^[[:alpha:]]$'").fetchone()

    assert tables == (0,)
    assert word == (5, True)


def test_two_databases_of_one_test_are_two(new_pg_database: Callable[[], str]) -> None:
    first, second = new_pg_database(), new_pg_database()

    with psycopg.connect(first) as connection:
        connection.execute("CREATE TABLE word (w text)")

    with psycopg.connect(second) as connection, pytest.raises(psycopg.errors.UndefinedTable):
        connection.execute("SELECT * FROM word")


def test_a_workflow_runs_in_a_namespace_of_its_own(
    temporal_server: TemporalServer, temporal_namespace: str
) -> None:
    assert asyncio.run(echo(temporal_server.address, temporal_namespace, "回音")) == "回音"


@pytest.mark.faults
def test_a_killed_temporal_server_comes_back_on_its_port_with_its_file(tmp_path: Path) -> None:
    server = TemporalServer(tmp_path, database=tmp_path / "temporal.db")
    with server:
        server.create_namespace("kept")
        first, port = server.pid, server.port

        server.kill()
        assert not accepts(port)
        server.start()

        assert (server.port, server.pid != first) == (port, True)
        assert asyncio.run(echo(server.address, "kept", "again")) == "again"


@pytest.mark.faults
def test_a_killed_postgres_comes_back_on_its_port_with_its_rows() -> None:
    server = PostgresServer()
    with server:
        with psycopg.connect(server.dsn) as connection:
            connection.execute("CREATE TABLE word AS SELECT '回音' AS w")
        idle = psycopg.connect(server.dsn)

        server.kill()
        server.start()

        assert count_words(server.dsn) == 1
        with pytest.raises(psycopg.OperationalError):
            idle.execute("SELECT 1")
        idle.close()
    assert not server.folder.exists()


def test_stopping_a_server_ends_its_process(tmp_path: Path) -> None:
    server = TemporalServer(tmp_path)
    server.start()
    pid = server.pid

    server.stop()

    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert not accepts(server.port)


def test_the_shared_data_is_a_folder(shared_data: Path) -> None:
    assert (shared_data / "README.md").is_file()
