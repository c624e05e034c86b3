using Npgsql;

namespace Sentiric.EventStore;

/// <summary>The compare-and-set of Marten's daemon: whoever comes second changes no row and knows it.</summary>
internal static class Progress
{
    private const string First = "insert into mt_event_progression (name, last_seq_id) values ($1, $2) on conflict do nothing";
    private const string Next =
        "update mt_event_progression set last_seq_id = $2, last_updated = transaction_timestamp() where name = $1 and last_seq_id = $3";

    /// <summary>The same for the end of a batch: divides by zero when the shard does not stand at <paramref name="from"/>, so that nothing of the batch stays.</summary>
    public static NpgsqlBatchCommand AdvanceOrFail(string shard, long? from, long to)
    {
        var move = from is null ? First : Next;
        var command = new NpgsqlBatchCommand($"with moved as ({move} returning 1) select 1 / count(*) from moved")
        {
            Parameters = { new() { Value = shard }, new() { Value = to } },
        };
        if (from is { } old) command.Parameters.Add(new() { Value = old });
        return command;
    }

    /// <summary>Changes exactly one row when the shard stands at <paramref name="from"/>.</summary>
    public static NpgsqlCommand Advance(string shard, long? from, long to)
    {
        var command = new NpgsqlCommand(from is null ? First : Next) { Parameters = { new() { Value = shard }, new() { Value = to } } };
        if (from is { } old) command.Parameters.Add(new() { Value = old });
        return command;
    }
}
