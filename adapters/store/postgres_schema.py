"""Tables and the one function of the schema `cases`. `{schema}` and `{channel}` are filled in as identifiers."""

from __future__ import annotations

VERSION = "3"
"""Raise it with every change. Functions carry it in their names, so that processes of an older release go on with theirs."""

TABLES = (
    "CREATE SCHEMA IF NOT EXISTS {schema}",
    # COLLATE "C": ids and names are compared as bytes, whatever the server's locale. `known_at` is the running
    # maximum of recorded_at in microseconds since 1970: known at T are the events with known_at up to T.
    """CREATE TABLE IF NOT EXISTS {schema}.stored_events (
        originator_id text COLLATE "C" NOT NULL,
        originator_version bigint NOT NULL,
        topic text COLLATE "C" NOT NULL,
        state bytea NOT NULL,
        notification_id bigserial NOT NULL,
        known_at bigint NOT NULL,
        CONSTRAINT stored_events_pkey PRIMARY KEY (originator_id, originator_version))""",
    """CREATE UNIQUE INDEX IF NOT EXISTS stored_events_notification_id_idx
        ON {schema}.stored_events (notification_id)""",
    """CREATE TABLE IF NOT EXISTS {schema}.commands (
        client text COLLATE "C" NOT NULL, key text COLLATE "C" NOT NULL, digest text NOT NULL,
        stream text NOT NULL, outcome text NOT NULL, answer bytea NOT NULL, recorded_at bigint NOT NULL,
        CONSTRAINT commands_pkey PRIMARY KEY (client, key))""",
    "CREATE INDEX IF NOT EXISTS commands_of_stream ON {schema}.commands (stream)",
    """CREATE TABLE IF NOT EXISTS {schema}.refs (
        source text COLLATE "C" NOT NULL, digest text COLLATE "C" NOT NULL, stream text NOT NULL,
        CONSTRAINT refs_pkey PRIMARY KEY (source, digest))""",
    """CREATE TABLE IF NOT EXISTS {schema}.sealed_values (
        stream text COLLATE "C" NOT NULL, digest text COLLATE "C" NOT NULL, subject text COLLATE "C" NOT NULL,
        name text COLLATE "C" NOT NULL, ciphertext bytea NOT NULL,
        CONSTRAINT sealed_values_pkey PRIMARY KEY (stream, digest))""",
    """CREATE TABLE IF NOT EXISTS {schema}.texts (
        digest text COLLATE "C" PRIMARY KEY, text text NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS {schema}.meta (name text PRIMARY KEY, value text NOT NULL)""",
)

BUILT_INDEX = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('{schema}.commands_of_stream')"
DROP_INDEX = "DROP INDEX CONCURRENTLY IF EXISTS {schema}.commands_of_stream"
BUILD_INDEX = "CREATE INDEX CONCURRENTLY IF NOT EXISTS commands_of_stream ON {schema}.commands (stream)"
"""Before version 3 there was none: over many commands it takes its time, and appends go on meanwhile."""

# One round trip for a whole group of saves. The advisory lock is held until the transaction has become visible,
# so that positions are in the order of commits and a reader that tails the log misses nothing; unlike a table
# lock it is in nobody else's way. Under READ COMMITTED each statement below sees what was committed before the
# lock was taken. Refused saves (numbers in the OUT arrays) write nothing; the others are written together.
# A clock that is ahead of the server's would make every honest append after it "behind"; so it writes nothing.
# No two saves of one call share a stream, a command, a reference or a digest: the caller sees to that.
APPEND = """CREATE OR REPLACE FUNCTION {schema}.append_saves_3(
    lock_key bigint,
    c_save int[], c_client text[], c_key text[], c_digest text[], c_stream text[], c_outcome text[],
    c_answer bytea[], c_recorded_at bigint[],
    r_save int[], r_source text[], r_digest text[], r_stream text[],
    a_save int[], a_stream text[], a_after bigint[], a_moment bigint[],
    e_save int[], e_stream text[], e_version bigint[], e_topic text[], e_state bytea[], e_moment bigint[],
    s_save int[], s_digest text[], s_stream text[], s_subject text[], s_name text[], s_ciphertext bytea[],
    t_save int[], t_digest text[], t_text text[],
    b_save int[], b_stream text[],
    OUT answered int[], OUT taken int[], OUT moved int[], OUT behind int[], OUT ahead int[],
    OUT positions bigint[])
LANGUAGE plpgsql AS $BODY$
DECLARE
    newest bigint;
    latest bigint;
    refused int[];
BEGIN
    PERFORM pg_advisory_xact_lock(lock_key);
    SELECT known_at INTO newest FROM {schema}.stored_events ORDER BY notification_id DESC LIMIT 1;
    newest := coalesce(newest, 0);
    latest := (extract(epoch FROM clock_timestamp()) * 1000000)::bigint + {most_ahead};
    answered := ARRAY(SELECT n.save FROM unnest(c_save, c_client, c_key) AS n(save, client, key)
        WHERE EXISTS (SELECT FROM {schema}.commands t WHERE t.client = n.client AND t.key = n.key));
    IF cardinality(r_save) > 0 THEN
        taken := ARRAY(SELECT DISTINCT n.save FROM unnest(r_save, r_source, r_digest) AS n(save, source, digest)
            WHERE EXISTS (SELECT FROM {schema}.refs t WHERE t.source = n.source AND t.digest = n.digest));
    END IF;
    moved := ARRAY(SELECT DISTINCT n.save FROM unnest(a_save, a_stream, a_after) AS n(save, stream, after)
        WHERE n.after <> coalesce((SELECT t.originator_version FROM {schema}.stored_events t
            WHERE t.originator_id = n.stream ORDER BY t.originator_version DESC LIMIT 1), 0));
    behind := ARRAY(SELECT DISTINCT n.save FROM unnest(a_save, a_moment) AS n(save, moment)
        WHERE n.moment < newest - {tolerance});
    IF latest < ANY(a_moment) THEN  -- a plain expression: no query on the way of every append
        ahead := ARRAY(SELECT DISTINCT n.save FROM unnest(a_save, a_moment) AS n(save, moment)
            WHERE n.moment > latest);
    END IF;
    refused := answered || taken || moved || behind || ahead;
    IF cardinality(b_save) > 0 THEN  -- before this group's own rows: an erasure's own may be asked for again
        UPDATE {schema}.commands t SET digest = '' WHERE t.digest <> '' AND t.stream = ANY(ARRAY(
            SELECT n.stream FROM unnest(b_save, b_stream) AS n(save, stream) WHERE NOT n.save = ANY(refused)));
    END IF;
    INSERT INTO {schema}.commands (client, key, digest, stream, outcome, answer, recorded_at)
        SELECT n.client, n.key, n.digest, n.stream, n.outcome, n.answer, n.recorded_at
        FROM unnest(c_save, c_client, c_key, c_digest, c_stream, c_outcome, c_answer, c_recorded_at)
            AS n(save, client, key, digest, stream, outcome, answer, recorded_at)
        WHERE NOT n.save = ANY(refused);
    IF cardinality(r_save) > 0 THEN
        INSERT INTO {schema}.refs (source, digest, stream)
            SELECT n.source, n.digest, n.stream
            FROM unnest(r_save, r_source, r_digest, r_stream) AS n(save, source, digest, stream)
            WHERE NOT n.save = ANY(refused);
    END IF;
    IF cardinality(s_save) > 0 THEN
        INSERT INTO {schema}.sealed_values (stream, digest, subject, name, ciphertext)
            SELECT n.stream, n.digest, n.subject, n.name, n.ciphertext
            FROM unnest(s_save, s_digest, s_stream, s_subject, s_name, s_ciphertext)
                AS n(save, digest, stream, subject, name, ciphertext)
            WHERE NOT n.save = ANY(refused);
    END IF;
    IF cardinality(t_save) > 0 THEN
        INSERT INTO {schema}.texts (digest, text)
            SELECT n.digest, n.text FROM unnest(t_save, t_digest, t_text) AS n(save, digest, text)
            WHERE NOT n.save = ANY(refused) ON CONFLICT DO NOTHING;
    END IF;
    WITH inserted AS (
        INSERT INTO {schema}.stored_events (originator_id, originator_version, topic, state, known_at)
            SELECT n.stream, n.version, n.topic, n.state, greatest(newest, max(n.moment) OVER (ORDER BY n.place))
            FROM unnest(e_save, e_stream, e_version, e_topic, e_state, e_moment)
                WITH ORDINALITY AS n(save, stream, version, topic, state, moment, place)
            WHERE NOT n.save = ANY(refused)
            ORDER BY n.place
            RETURNING notification_id)
    SELECT array_agg(notification_id ORDER BY notification_id) INTO positions FROM inserted;
    IF positions IS NOT NULL THEN
        NOTIFY {channel};
    END IF;
END;
$BODY$"""
