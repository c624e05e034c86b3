using System.Data.Common;
using Npgsql;

namespace Sentiric.EventStore;

/// <summary>Rows of <c>mt_doc_deadletterevent</c>. The id is made of shard and position, so that parking twice is one row.</summary>
internal static class DeadLetters
{
    public const string List = """
        select (data ->> 'EventSequence')::bigint, data ->> 'TenantId', coalesce(data ->> 'EventType', ''), (data ->> 'Timestamp')::timestamptz,
               coalesce(data ->> 'ExceptionType', ''), coalesce(data ->> 'ExceptionMessage', '')
        from mt_doc_deadletterevent where data ->> 'ProjectionName' = $1 and data ->> 'ShardName' = $2
        order by 1 limit $3
        """;

    public const string Forget = "delete from mt_doc_deadletterevent where data ->> 'ProjectionName' = $1 and data ->> 'ShardName' = $2";

    /// <summary>Which of some positions are parked.</summary>
    public const string Among = """
        select (data ->> 'EventSequence')::bigint from mt_doc_deadletterevent
        where data ->> 'ProjectionName' = $1 and data ->> 'ShardName' = $2 and (data ->> 'EventSequence')::bigint = any($3)
        """;

    public const string Exists =
        "select 1 from mt_doc_deadletterevent where data ->> 'ProjectionName' = $1 and data ->> 'ShardName' = $2 and (data ->> 'EventSequence')::bigint = $3";

    public const string Discard =
        "delete from mt_doc_deadletterevent where data ->> 'ProjectionName' = $1 and data ->> 'ShardName' = $2 and (data ->> 'EventSequence')::bigint = $3";

    private const string InsertSql = """
        insert into mt_doc_deadletterevent (id, data, mt_last_modified, mt_dotnet_type)
        select k.id, jsonb_build_object('Id', k.id, 'ProjectionName', $1::text, 'ShardName', $2::text, 'Timestamp', $4::timestamptz, 'TenantId', $5::text,
               'EventType', $6::text, 'ExceptionType', $7::text, 'ExceptionMessage', $8::text, 'EventSequence', $3::bigint),
               $4, 'JasperFx.Events.Daemon.DeadLetterEvent'
        from (select md5($1::text || ':' || $2::text || ':' || $3::bigint)::uuid as id) k
        on conflict (id) do nothing
        """;

    public static NpgsqlCommand Insert(ParkedEvent parked)
    {
        var command = new NpgsqlCommand(InsertSql);
        foreach (var value in Values(parked)) command.Parameters.Add(new() { Value = value });
        return command;
    }

    /// <summary>The same as part of a batch.</summary>
    public static NpgsqlBatchCommand InsertCommand(ParkedEvent parked)
    {
        var command = new NpgsqlBatchCommand(InsertSql);
        foreach (var value in Values(parked)) command.Parameters.Add(new() { Value = value });
        return command;
    }

    private static object[] Values(ParkedEvent parked) =>
    [
        .. Key(parked.Shard), parked.Position, parked.ParkedAt.UtcDateTime, parked.Tenant, parked.EventType, parked.ErrorType, Storable(parked.ErrorMessage),
    ];

    /// <summary><c>Calls:V2:All</c> is projection <c>Calls</c>, shard <c>V2:All</c>.</summary>
    public static string[] Key(string shard)
    {
        var at = shard.IndexOf(':', StringComparison.Ordinal);
        return at < 0 ? [shard, "All"] : [shard[..at], shard[(at + 1)..]];
    }

    public static ParkedEvent Read(string shard, DbDataReader row) => new(
        shard, row.GetInt64(0), row.IsDBNull(1) ? "" : row.GetString(1), row.GetString(2),
        new DateTimeOffset(row.GetDateTime(3), TimeSpan.Zero), row.GetString(4), row.GetString(5));

    // PostgreSQL keeps no U+0000 in a text.
    private static string Storable(string message) => message.Replace('\0', ' ');
}
