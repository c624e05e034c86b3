namespace Sentiric.EventStore;

/// <summary>
/// One step of the schema. Steps are numbered without holes, run in order, and are never changed once released: what is to change gets a step of its own.
/// Each can run again without harm (<c>if not exists</c>), since a database administrator may have run half of a script.
/// </summary>
internal sealed record SchemaPatch(int Version, string Name, string Sql)
{
    /// <summary>Every step for this shape. A new one goes to the end; the number is its place.</summary>
    public static IReadOnlyList<SchemaPatch> All(EventTables tables) => Numbered(
    [
        ("Marten's tables", MartenTables.Script(tables)),
        ("keys of idempotent appends, versions of projections", AppendKeys + ProjectionVersionTable),
        ("rebuilds", RebuildTables.Sql),
        ("orders to shards", ShardTables.Sql),
        ("truncated and archived streams", LifecycleTables.Sql),
        ("snapshots for writes", SnapshotTable.Sql),
        ("signed history", AuditSchema.Script),
        ("signed records of truncations", AuditSchema.RemovalScript),
        ("signed moves of streams into files", LifecycleTables.MoveScript + AuditSchema.MoveScript),
        ("signed orders of removals", AuditSchema.OrderScript),
        ("sealed snapshots", SnapshotTable.SealedSql),
    ]);

    private const string AppendKeys = """
        create table if not exists sx_append_key (
            tenant_id varchar not null,
            event_id  uuid    not null,
            stream_id varchar not null,
            seq_id    bigint  not null,
            version   bigint  not null,
            constraint pkey_sx_append_key primary key (tenant_id, event_id)
        );

        """;

    private const string ProjectionVersionTable = """
        create table if not exists sx_projection_version (
            name        varchar not null,
            version     integer not null,
            switched_at timestamp with time zone not null default (transaction_timestamp()),
            constraint pkey_sx_projection_version primary key (name)
        );

        """;

    private static IReadOnlyList<SchemaPatch> Numbered(IEnumerable<(string Name, string Sql)> steps) =>
        [.. steps.Select((step, at) => new SchemaPatch(at + 1, step.Name, step.Sql))];
}
