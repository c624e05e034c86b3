using Npgsql;

namespace Sentiric.EventStore.Tests.Chaos;

/// <summary>
/// A read model that shows every mistake: a row for each event (applied twice, the key is violated), the order in which the rows came, and who wrote them.
/// </summary>
internal sealed class PositionRows(string name, string owner = "test") : ITableProjection
{
    private readonly string _table = TableOf(name);

    public string Name => name;

    public int Version => 1;

    public IReadOnlyList<string> Tables => [_table];

    public string SchemaSql(string suffix) => $"""
        create table if not exists {_table}{suffix} (
            position bigint not null, number bigserial, stream_id varchar not null, version bigint not null, event_id uuid not null, owner varchar not null,
            primary key (position));
        """;

    public ValueTask ApplyAsync(IProjectionWriter writer, IReadOnlyList<RecordedEvent> batch, CancellationToken ct)
    {
        foreach (var recorded in batch)
        {
            writer.Execute(
                $"insert into {writer.Table(_table)} (position, stream_id, version, event_id, owner) values ($1, $2, $3, $4, $5)",
                recorded.Position, recorded.StreamId, recorded.Version, recorded.EventId, owner);
        }
        return ValueTask.CompletedTask;
    }

    public static string TableOf(string name) => "rows_" + name.ToLowerInvariant();

    /// <summary>Count and hash of what the log says.</summary>
    public static Task<string> ExpectedAsync(NpgsqlDataSource source) => HashAsync(source, "mt_events", "seq_id", "id", "seq_id");

    /// <summary>Count and hash of the rows in the order in which they were written.</summary>
    public static Task<string> ActualAsync(NpgsqlDataSource source, string name) => HashAsync(source, TableOf(name), "position", "event_id", "number");

    private static async Task<string> HashAsync(NpgsqlDataSource source, string table, string position, string id, string order)
    {
        await using var command = source.CreateCommand(
            $"select count(*) || ' events, ' || coalesce(md5(string_agg({position} || ' ' || stream_id || ' ' || version || ' ' || {id}, ',' order by {order})), '-') from {table}");
        command.CommandTimeout = 120;
        return await command.ExecuteScalarAsync() as string ?? "";
    }
}
