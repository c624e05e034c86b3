namespace Sentiric.EventStore.Tests.Postgres;

/// <summary>
/// Marten 9's storage, conjoined tenancy, text stream ids, with correlation, causation, headers and user name,
/// and the side tables of ours. Table, number, column, type, null, default.
/// </summary>
internal static class SchemaDescription
{
    public const string Columns = """
        mt_doc_deadletterevent | 1 | id | uuid | not null | -
        mt_doc_deadletterevent | 2 | data | jsonb | not null | -
        mt_doc_deadletterevent | 3 | mt_last_modified | timestamp with time zone | null | transaction_timestamp()
        mt_doc_deadletterevent | 4 | mt_version | uuid | not null | (md5(((random())::text || (clock_timestamp())::text)))::uuid
        mt_doc_deadletterevent | 5 | mt_dotnet_type | character varying | null | -
        mt_event_progression | 1 | name | character varying | not null | -
        mt_event_progression | 2 | last_seq_id | bigint | null | -
        mt_event_progression | 3 | last_updated | timestamp with time zone | null | transaction_timestamp()
        mt_events | 1 | seq_id | bigint | not null | -
        mt_events | 2 | id | uuid | not null | -
        mt_events | 3 | stream_id | character varying | null | -
        mt_events | 4 | version | bigint | not null | -
        mt_events | 5 | data | jsonb | not null | -
        mt_events | 6 | bdata | bytea | null | -
        mt_events | 7 | type | character varying(500) | not null | -
        mt_events | 8 | timestamp | timestamp with time zone | not null | a frozen moment
        mt_events | 9 | tenant_id | character varying | null | '*DEFAULT*'::character varying
        mt_events | 10 | mt_dotnet_type | character varying | null | -
        mt_events | 11 | correlation_id | character varying | null | -
        mt_events | 12 | causation_id | character varying | null | -
        mt_events | 13 | headers | jsonb | null | -
        mt_events | 14 | user_name | character varying | null | -
        mt_events | 15 | is_archived | boolean | null | false
        mt_high_water_skips | 1 | ending_sequence | bigint | not null | -
        mt_high_water_skips | 2 | starting_sequence | bigint | not null | -
        mt_high_water_skips | 3 | timestamp | timestamp with time zone | null | transaction_timestamp()
        mt_streams | 1 | tenant_id | character varying | not null | '*DEFAULT*'::character varying
        mt_streams | 2 | id | character varying | not null | -
        mt_streams | 3 | type | character varying | null | -
        mt_streams | 4 | version | bigint | null | -
        mt_streams | 5 | timestamp | timestamp with time zone | not null | now()
        mt_streams | 6 | created | timestamp with time zone | not null | now()
        mt_streams | 7 | is_archived | boolean | null | false
        sx_append_key | 1 | tenant_id | character varying | not null | -
        sx_append_key | 2 | event_id | uuid | not null | -
        sx_append_key | 3 | stream_id | character varying | not null | -
        sx_append_key | 4 | seq_id | bigint | not null | -
        sx_append_key | 5 | version | bigint | not null | -
        sx_archived_stream | 1 | tenant_id | character varying | not null | -
        sx_archived_stream | 2 | stream_id | character varying | not null | -
        sx_archived_stream | 3 | file | character varying | not null | -
        sx_archived_stream | 4 | sha256 | bytea | not null | -
        sx_archived_stream | 5 | events | bigint | not null | -
        sx_archived_stream | 6 | version | bigint | not null | -
        sx_archived_stream | 7 | first_seq_id | bigint | not null | -
        sx_archived_stream | 8 | last_seq_id | bigint | not null | -
        sx_archived_stream | 9 | archived_at | timestamp with time zone | not null | -
        sx_audit_block | 1 | number | bigint | not null | -
        sx_audit_block | 2 | first_position | bigint | not null | -
        sx_audit_block | 3 | last_position | bigint | not null | -
        sx_audit_block | 4 | statement | text | not null | -
        sx_audit_block | 5 | signature | bytea | not null | -
        sx_audit_block | 6 | entries | bytea | not null | -
        sx_audit_key | 1 | key_id | character varying | not null | -
        sx_audit_key | 2 | public_key | bytea | not null | -
        sx_audit_key | 3 | introduced_at | timestamp with time zone | not null | -
        sx_audit_key | 4 | endorsed_by | character varying | not null | -
        sx_audit_key | 5 | endorsement | bytea | not null | -
        sx_audit_order | 1 | record | character varying | not null | -
        sx_audit_order | 2 | key_id | character varying | not null | -
        sx_audit_order | 3 | signature | bytea | not null | -
        sx_audit_page | 1 | page | bigint | not null | -
        sx_audit_page | 2 | root | bytea | not null | -
        sx_audit_removal | 1 | number | bigint | not null | -
        sx_audit_removal | 2 | tenant_id | character varying | not null | -
        sx_audit_removal | 3 | stream_id | character varying | not null | -
        sx_audit_removal | 4 | before_version | bigint | not null | -
        sx_audit_removal | 5 | statement | text | not null | -
        sx_audit_removal | 6 | signature | bytea | not null | -
        sx_audit_removal | 7 | move | bigint | not null | 0
        sx_audit_stream | 1 | ordinal | bigint | not null | -
        sx_audit_stream | 2 | tenant_id | character varying | not null | -
        sx_audit_stream | 3 | stream_id | character varying | not null | -
        sx_audit_stream | 4 | version | bigint | not null | -
        sx_audit_stream | 5 | head | bytea | not null | -
        sx_audit_stream | 6 | type | character varying | null | -
        sx_audit_stream | 7 | created | bigint | null | -
        sx_audit_stream | 8 | appended | bigint | null | -
        sx_projection_previous | 1 | name | character varying | not null | -
        sx_projection_previous | 2 | version | integer | not null | -
        sx_projection_previous | 3 | position | bigint | not null | -
        sx_projection_previous | 4 | switched_at | timestamp with time zone | not null | transaction_timestamp()
        sx_projection_version | 1 | name | character varying | not null | -
        sx_projection_version | 2 | version | integer | not null | -
        sx_projection_version | 3 | switched_at | timestamp with time zone | not null | transaction_timestamp()
        sx_rebuild | 1 | name | character varying | not null | -
        sx_rebuild | 2 | version | integer | not null | -
        sx_rebuild | 3 | state | character varying | not null | -
        sx_rebuild | 4 | phase | character varying | not null | -
        sx_rebuild | 5 | position | bigint | not null | 0
        sx_rebuild | 6 | target | bigint | not null | 0
        sx_rebuild | 7 | is_cancelled | boolean | not null | false
        sx_rebuild | 8 | definitions | text[] | not null | '{}'::text[]
        sx_rebuild | 9 | error | character varying | null | -
        sx_rebuild | 10 | started_at | timestamp with time zone | not null | transaction_timestamp()
        sx_rebuild | 11 | updated_at | timestamp with time zone | not null | transaction_timestamp()
        sx_rebuild_part | 1 | name | character varying | not null | -
        sx_rebuild_part | 2 | part | integer | not null | -
        sx_rebuild_part | 3 | position | bigint | not null | 0
        sx_rebuild_part | 4 | tenant_id | character varying | null | -
        sx_rebuild_part | 5 | stream_id | character varying | null | -
        sx_rebuild_part | 6 | to_tenant | character varying | null | -
        sx_rebuild_part | 7 | to_stream | character varying | null | -
        sx_rebuild_part | 8 | is_done | boolean | not null | false
        sx_schema_version | 1 | version | integer | not null | -
        sx_schema_version | 2 | name | character varying | not null | -
        sx_schema_version | 3 | applied_at | timestamp with time zone | not null | transaction_timestamp()
        sx_sealed_snapshot | 1 | tenant_id | character varying | not null | -
        sx_sealed_snapshot | 2 | stream_id | character varying | not null | -
        sx_sealed_snapshot | 3 | name | character varying | not null | -
        sx_sealed_snapshot | 4 | shape | integer | not null | -
        sx_sealed_snapshot | 5 | version | bigint | not null | -
        sx_sealed_snapshot | 6 | key_ids | character varying[] | not null | -
        sx_sealed_snapshot | 7 | data | bytea | not null | -
        sx_sealed_snapshot | 8 | taken_at | timestamp with time zone | not null | transaction_timestamp()
        sx_shard_order | 1 | shard | character varying | not null | -
        sx_shard_order | 2 | seq_id | bigint | not null | -
        sx_shard_order | 3 | kind | character varying | not null | -
        sx_shard_order | 4 | reason | character varying | null | -
        sx_shard_order | 5 | asked_by | character varying | null | -
        sx_shard_order | 6 | asked_at | timestamp with time zone | not null | transaction_timestamp()
        sx_shard_order | 7 | done_at | timestamp with time zone | null | -
        sx_shard_order | 8 | outcome | character varying | null | -
        sx_shard_order | 9 | error | character varying | null | -
        sx_shard_state | 1 | shard | character varying | not null | -
        sx_shard_state | 2 | paused_at | timestamp with time zone | null | -
        sx_shard_state | 3 | pause_reason | character varying | null | -
        sx_shard_state | 4 | paused_by | character varying | null | -
        sx_shard_state | 5 | owner | character varying | null | -
        sx_shard_state | 6 | state | character varying | null | -
        sx_shard_state | 7 | positions_per_second | double precision | not null | 0
        sx_shard_state | 8 | last_error | character varying | null | -
        sx_shard_state | 9 | reported_at | timestamp with time zone | null | -
        sx_snapshot | 1 | tenant_id | character varying | not null | -
        sx_snapshot | 2 | stream_id | character varying | not null | -
        sx_snapshot | 3 | name | character varying | not null | -
        sx_snapshot | 4 | shape | integer | not null | -
        sx_snapshot | 5 | version | bigint | not null | -
        sx_snapshot | 6 | data | jsonb | not null | -
        sx_snapshot | 7 | taken_at | timestamp with time zone | not null | transaction_timestamp()
        sx_stream_move | 1 | tenant_id | character varying | not null | -
        sx_stream_move | 2 | stream_id | character varying | not null | -
        sx_stream_move | 3 | number | bigint | not null | -
        sx_stream_move | 4 | restored | boolean | not null | -
        sx_stream_move | 5 | file | character varying | not null | -
        sx_stream_move | 6 | sha256 | bytea | not null | -
        sx_stream_move | 7 | events | bigint | not null | -
        sx_stream_move | 8 | version | bigint | not null | -
        sx_stream_move | 9 | first_seq_id | bigint | not null | -
        sx_stream_move | 10 | last_seq_id | bigint | not null | -
        sx_stream_move | 11 | moved_at | timestamp with time zone | not null | -
        sx_stream_truncation | 1 | tenant_id | character varying | not null | -
        sx_stream_truncation | 2 | stream_id | character varying | not null | -
        sx_stream_truncation | 3 | before_version | bigint | not null | -
        sx_stream_truncation | 4 | events | bigint | not null | -
        sx_stream_truncation | 5 | first_seq_id | bigint | not null | -
        sx_stream_truncation | 6 | last_seq_id | bigint | not null | -
        sx_stream_truncation | 7 | sha256 | bytea | not null | -
        sx_stream_truncation | 8 | reason | character varying | not null | -
        sx_stream_truncation | 9 | actor | character varying | null | -
        sx_stream_truncation | 10 | truncated_at | timestamp with time zone | not null | -
        """;

    public const string Constraints = """
        mt_doc_deadletterevent | pkey_mt_doc_deadletterevent_id | PRIMARY KEY (id)
        mt_event_progression | pk_mt_event_progression | PRIMARY KEY (name)
        mt_events | fkey_mt_events_stream_id_tenant_id | FOREIGN KEY (tenant_id, stream_id) REFERENCES mt_streams(tenant_id, id)
        mt_events | pkey_mt_events_seq_id | PRIMARY KEY (seq_id)
        mt_high_water_skips | pkey_mt_high_water_skips_ending_sequence | PRIMARY KEY (ending_sequence)
        mt_streams | pkey_mt_streams_tenant_id_id | PRIMARY KEY (tenant_id, id)
        sx_append_key | pkey_sx_append_key | PRIMARY KEY (tenant_id, event_id)
        sx_archived_stream | pkey_sx_archived_stream | PRIMARY KEY (tenant_id, stream_id)
        sx_audit_block | pkey_sx_audit_block | PRIMARY KEY (number)
        sx_audit_key | pkey_sx_audit_key | PRIMARY KEY (key_id)
        sx_audit_order | pkey_sx_audit_order | PRIMARY KEY (record)
        sx_audit_page | pkey_sx_audit_page | PRIMARY KEY (page)
        sx_audit_removal | pkey_sx_audit_removal | PRIMARY KEY (number)
        sx_audit_stream | pkey_sx_audit_stream | PRIMARY KEY (ordinal)
        sx_projection_previous | pkey_sx_projection_previous | PRIMARY KEY (name)
        sx_projection_version | pkey_sx_projection_version | PRIMARY KEY (name)
        sx_rebuild | pkey_sx_rebuild | PRIMARY KEY (name)
        sx_rebuild_part | pkey_sx_rebuild_part | PRIMARY KEY (name, part)
        sx_schema_version | pkey_sx_schema_version | PRIMARY KEY (version)
        sx_sealed_snapshot | pkey_sx_sealed_snapshot | PRIMARY KEY (tenant_id, stream_id, name)
        sx_shard_order | pkey_sx_shard_order | PRIMARY KEY (shard, seq_id, kind)
        sx_shard_state | pkey_sx_shard_state | PRIMARY KEY (shard)
        sx_snapshot | pkey_sx_snapshot | PRIMARY KEY (tenant_id, stream_id, name)
        sx_stream_move | pkey_sx_stream_move | PRIMARY KEY (tenant_id, stream_id, number)
        sx_stream_truncation | pkey_sx_stream_truncation | PRIMARY KEY (tenant_id, stream_id, before_version)
        """;

    public const string Indexes = """
        pk_mt_event_progression | unique on mt_event_progression USING btree (name)
        pk_mt_events_stream_and_version | unique on mt_events USING btree (tenant_id, stream_id, version)
        pkey_mt_doc_deadletterevent_id | unique on mt_doc_deadletterevent USING btree (id)
        pkey_mt_events_seq_id | unique on mt_events USING btree (seq_id)
        pkey_mt_high_water_skips_ending_sequence | unique on mt_high_water_skips USING btree (ending_sequence)
        pkey_mt_streams_tenant_id_id | unique on mt_streams USING btree (tenant_id, id)
        pkey_sx_append_key | unique on sx_append_key USING btree (tenant_id, event_id)
        pkey_sx_archived_stream | unique on sx_archived_stream USING btree (tenant_id, stream_id)
        pkey_sx_audit_block | unique on sx_audit_block USING btree (number)
        pkey_sx_audit_key | unique on sx_audit_key USING btree (key_id)
        pkey_sx_audit_order | unique on sx_audit_order USING btree (record)
        pkey_sx_audit_page | unique on sx_audit_page USING btree (page)
        pkey_sx_audit_removal | unique on sx_audit_removal USING btree (number)
        pkey_sx_audit_stream | unique on sx_audit_stream USING btree (ordinal)
        pkey_sx_projection_previous | unique on sx_projection_previous USING btree (name)
        pkey_sx_projection_version | unique on sx_projection_version USING btree (name)
        pkey_sx_rebuild | unique on sx_rebuild USING btree (name)
        pkey_sx_rebuild_part | unique on sx_rebuild_part USING btree (name, part)
        pkey_sx_schema_version | unique on sx_schema_version USING btree (version)
        pkey_sx_sealed_snapshot | unique on sx_sealed_snapshot USING btree (tenant_id, stream_id, name)
        pkey_sx_shard_order | unique on sx_shard_order USING btree (shard, seq_id, kind)
        pkey_sx_shard_state | unique on sx_shard_state USING btree (shard)
        pkey_sx_snapshot | unique on sx_snapshot USING btree (tenant_id, stream_id, name)
        pkey_sx_stream_move | unique on sx_stream_move USING btree (tenant_id, stream_id, number)
        pkey_sx_stream_truncation | unique on sx_stream_truncation USING btree (tenant_id, stream_id, before_version)
        sx_audit_block_last_position | unique on sx_audit_block USING btree (last_position)
        sx_audit_removal_what | unique on sx_audit_removal USING btree (tenant_id, stream_id, before_version, move)
        sx_audit_stream_name | unique on sx_audit_stream USING btree (tenant_id, stream_id)
        """;
}
