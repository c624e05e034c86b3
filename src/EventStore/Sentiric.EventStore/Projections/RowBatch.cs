using Npgsql;

namespace Sentiric.EventStore;

/// <summary>
/// What a batch changes in the rows of one table, gathered per key: however many events touch a row, it is written once,
/// and rows that change in the same columns share a statement. Written with the batch, behind what <see cref="IProjectionWriter.Execute"/> queued,
/// at the latest before the next query. Values are CLR values; the columns' names come from the program, never from data.
/// </summary>
public interface IRowBatch
{
    /// <summary>Adds a row unless there is one with this key; the values are those of the keys, then of the columns.</summary>
    void Insert(IReadOnlyList<object> key, params IReadOnlyList<(string Column, object? Value)> values);

    /// <summary>Sets columns of the row, if there is one.</summary>
    void Set(IReadOnlyList<object> key, params IReadOnlyList<(string Column, object? Value)> values);

    /// <summary>Raises a column of the row to the value, if there is one and it is lower.</summary>
    void Raise(IReadOnlyList<object> key, string column, IComparable value);

    void Delete(IReadOnlyList<object> key);
}

internal sealed class RowBatch(string table, IReadOnlyList<string> keys) : IRowBatch
{
    // In the order in which the keys came up, so that equal batches give equal statements.
    private readonly Dictionary<RowKey, Change> _changes = [];

    public string Table => table;

    public void Insert(IReadOnlyList<object> key, params IReadOnlyList<(string Column, object? Value)> values)
    {
        var change = Of(key);
        // Behind a delete of the same batch it is a new row; behind an insert it changes nothing.
        if (change.Inserted is not null) return;
        change.Inserted = [.. values];
        // What was set before concerned a row that was there already, or none.
        if (!change.IsDeleted) change.SetsComeFirst();
    }

    public void Set(IReadOnlyList<object> key, params IReadOnlyList<(string Column, object? Value)> values)
    {
        var change = Of(key);
        if (change is { IsDeleted: true, Inserted: null }) return;
        foreach (var (column, value) in values) change.Sets[column] = new Setting(value, false);
    }

    public void Raise(IReadOnlyList<object> key, string column, IComparable value)
    {
        var change = Of(key);
        if (change is { IsDeleted: true, Inserted: null }) return;
        var isNewer = !change.Sets.TryGetValue(column, out var old) || old.Value is null || value.CompareTo(old.Value) > 0;
        if (isNewer) change.Sets[column] = new Setting(value, old?.IsRaise ?? true);
    }

    public void Delete(IReadOnlyList<object> key)
    {
        var change = Of(key);
        change.Inserted = null;
        change.Early.Clear();
        change.Sets.Clear();
        change.IsDeleted = true;
    }

    /// <summary>Deletes, then what was set before an insert, inserts, the other changes: in that order each statement finds the rows that it is about.</summary>
    public void AddTo(List<NpgsqlBatchCommand> commands)
    {
        if (_changes.Count == 0) return;
        var deleted = _changes.Where(c => c.Value.IsDeleted).Select(c => c.Key.Values).ToList();
        if (deleted.Count > 0) commands.Add(BulkSql.Delete(table, keys, deleted));
        AddUpdates(commands, c => c.Early);
        foreach (var group in Grouped(_changes.Where(c => c.Value.Inserted is not null), c => c.InsertedColumns))
            commands.Add(BulkSql.InsertMissing(table, [.. keys, .. group.Columns], [.. group.Rows.Select(r => (object?[])[.. r.Key.Values, .. r.Value.InsertedValues])]));
        AddUpdates(commands, c => c.Sets);
        _changes.Clear();
    }

    private void AddUpdates(List<NpgsqlBatchCommand> commands, Func<Change, SortedDictionary<string, Setting>> setsOf)
    {
        foreach (var group in Grouped(_changes.Where(c => setsOf(c.Value).Count > 0), c => Change.ColumnsOf(setsOf(c))))
        {
            var raised = setsOf(group.Rows[0].Value).Where(s => s.Value.IsRaise).Select(s => s.Key).ToHashSet(StringComparer.Ordinal);
            commands.Add(BulkSql.Update(
                table, keys, group.Columns, column => Expression(column, raised.Contains(column)),
                [.. group.Rows.Select(r => (object?[])[.. r.Key.Values, .. setsOf(r.Value).Values.Select(s => s.Value)])]));
        }
    }

    private static string Expression(string column, bool isRaise)
    {
        var name = BulkSql.Name(column);
        return isRaise ? $"greatest(t.{name}, v.{name})" : $"v.{name}";
    }

    private static IEnumerable<(IReadOnlyList<string> Columns, List<KeyValuePair<RowKey, Change>> Rows)> Grouped(
        IEnumerable<KeyValuePair<RowKey, Change>> changes, Func<Change, string> signature) =>
        changes.GroupBy(c => signature(c.Value), StringComparer.Ordinal).Select(g => ((IReadOnlyList<string>)ColumnsOf(g.Key), g.ToList()));

    private static string[] ColumnsOf(string signature) => [.. signature.Split('|', StringSplitOptions.RemoveEmptyEntries).Select(c => c.TrimEnd('+'))];

    private Change Of(IReadOnlyList<object> key)
    {
        if (key.Count != keys.Count) throw new ArgumentException($"A key of '{table}' has {keys.Count} values.", nameof(key));
        ref var change = ref System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrAddDefault(_changes, new RowKey([.. key]), out _);
        return change ??= new Change();
    }

    private sealed record Setting(object? Value, bool IsRaise);

    private sealed class Change
    {
        public bool IsDeleted { get; set; }
        public List<(string Column, object? Value)>? Inserted { get; set; }
        public SortedDictionary<string, Setting> Early { get; private set; } = new(StringComparer.Ordinal);
        public SortedDictionary<string, Setting> Sets { get; private set; } = new(StringComparer.Ordinal);

        // What an insert leaves to the table's defaults is not in its columns; sets of the same batch follow as an update.
        public string InsertedColumns => string.Join('|', (Inserted ?? []).Select(v => v.Column));
        public IEnumerable<object?> InsertedValues => (Inserted ?? []).Select(v => v.Value);
        public static string ColumnsOf(SortedDictionary<string, Setting> sets) => string.Join('|', sets.Select(s => s.Value.IsRaise ? s.Key + "+" : s.Key));

        public void SetsComeFirst() => (Early, Sets) = (Sets, Early);
    }
}
