namespace Sentiric.EventStore;

/// <summary>
/// A read model in PostgreSQL tables. It is pure apart from its writer: it never asks the time and never calls out,
/// so dropping it and replaying the log gives the same rows.
/// </summary>
public interface ITableProjection
{
    /// <summary>Unique and stable: the progress is kept under it.</summary>
    string Name { get; }

    /// <summary>Raised whenever the shape or the meaning of the rows changes; the daemon then rebuilds beside the old tables and switches.</summary>
    int Version { get; }

    /// <summary>The tables it owns, all lower case, as <see cref="SchemaSql"/> creates them without a suffix. Nobody else writes them.</summary>
    IReadOnlyList<string> Tables { get; }

    /// <summary>
    /// <c>create table if not exists</c> and <c>create index if not exists</c> for all tables.
    /// Every table and every named index or constraint ends with <paramref name="suffix"/> (<c>$"call_record{suffix}"</c>),
    /// which is empty for the live tables and set for those of a rebuild.
    /// </summary>
    string SchemaSql(string suffix);

    /// <summary>
    /// The stored names of the events that it looks at, with their version suffix (<c>call_started_v2</c>) and with those of the older versions; null: all.
    /// Others are neither read nor decoded for it nor handed to <see cref="ApplyAsync"/>.
    /// </summary>
    IReadOnlyCollection<string>? EventTypes => null;

    /// <summary>
    /// Applies a batch in order. Rows and checkpoint are committed together, so each event is applied exactly once.
    /// An exception sends the daemon through the batch one by one; the event that keeps failing is parked.
    /// </summary>
    ValueTask ApplyAsync(IProjectionWriter writer, IReadOnlyList<RecordedEvent> batch, CancellationToken ct);
}

/// <summary>
/// The open transaction of one batch. Table names go through <see cref="Table"/>, values through numbered parameters (<c>$1</c>, <c>$2</c> ...).
/// A value of null needs its type: use <c>$1::text</c>.
/// </summary>
public interface IProjectionWriter
{
    /// <summary>Reads and upcasts events for the projection.</summary>
    IEventSerializer Serializer { get; }

    /// <summary>The real name of one of the projection's own tables: the live one, or its shadow during a rebuild.</summary>
    string Table(string name);

    /// <summary>Queues a statement; it runs with the batch, at the latest before the next query.</summary>
    void Execute(string sql, params object?[] values);

    /// <summary>
    /// Queues one statement that adds these rows or, where the key is there, sets their columns. A row holds the values of
    /// <paramref name="keys"/>, then of <paramref name="columns"/>; of two rows with one key the later counts. A column may carry the cast that its values need: <c>data::jsonb</c>.
    /// </summary>
    void BulkUpsert(string table, IReadOnlyList<string> keys, IReadOnlyList<string> columns, IReadOnlyList<object?[]> rows);

    /// <summary>What the batch changes in rows of one of the projection's own tables, gathered per key and written with few statements.</summary>
    IRowBatch Rows(string table, params IReadOnlyList<string> keys);

    /// <summary>Runs what is queued, then the query.</summary>
    ValueTask<IReadOnlyList<T>> QueryAsync<T>(string sql, Func<System.Data.Common.DbDataReader, T> read, CancellationToken ct, params object?[] values);
}
