using System.Runtime.InteropServices;
using Npgsql;

namespace Sentiric.EventStore;

/// <summary>
/// What a batch changes in the rows of one table, gathered per key: however many events touch a row, it is written once,
/// and rows that change in the same columns share a statement. Written with the batch, behind what <see cref="IProjectionWriter.Execute"/> queued,
/// at the latest before the next query. Values are CLR values; the columns' names come from the program, never from data.
/// </summary>
public interface IRowBatch
{
    /// <summary>Adds a row unless there is one with this key.</summary>
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
        change.Inserted = values;
        // What was set before concerned a row that was there already, or none.
        if (!change.IsDeleted) (change.Early, change.Sets) = (change.Sets, change.Early);
    }

    public void Set(IReadOnlyList<object> key, params IReadOnlyList<(string Column, object? Value)> values)
    {
        if (SetsOf(Of(key)) is not { } sets) return;
        foreach (var (column, value) in values) sets.Put(column, value, isRaise: false);
    }

    public void Raise(IReadOnlyList<object> key, string column, IComparable value)
    {
        if (SetsOf(Of(key)) is not { } sets) return;
        var old = sets.Find(column);
        var isNewer = old is not { Value: { } known } || value.CompareTo(known) > 0;
        if (isNewer) sets.Put(column, value, old?.IsRaise ?? true);
    }

    public void Delete(IReadOnlyList<object> key)
    {
        var change = Of(key);
        (change.Inserted, change.Early, change.Sets, change.IsDeleted) = (null, null, null, true);
    }

    /// <summary>Deletes, then what was set before an insert, inserts, the other changes: in that order each statement finds the rows that it is about.</summary>
    public void AddTo(List<NpgsqlBatchCommand> commands)
    {
        if (_changes.Count == 0) return;
        var deleted = _changes.Where(c => c.Value.IsDeleted).Select(c => c.Key.Values).ToList();
        if (deleted.Count > 0) commands.Add(BulkSql.Delete(table, keys, deleted));
        AddUpdates(commands, c => c.Early);
        AddInserts(commands);
        AddUpdates(commands, c => c.Sets);
        _changes.Clear();
    }

    private void AddInserts(List<NpgsqlBatchCommand> commands)
    {
        var groups = new Dictionary<ColumnNames, List<object?[]>>();
        foreach (var (key, change) in _changes)
        {
            if (change.Inserted is not { } values) continue;
            var names = new string[values.Count];
            var row = new object?[keys.Count + names.Length];
            key.Values.CopyTo(row, 0);
            for (var i = 0; i < names.Length; i++) (names[i], row[keys.Count + i]) = values[i];
            Add(groups, new ColumnNames(names), row);
        }
        foreach (var (columns, rows) in groups) commands.Add(BulkSql.InsertMissing(table, [.. keys, .. columns.Names], rows));
    }

    private void AddUpdates(List<NpgsqlBatchCommand> commands, Func<Change, Settings?> setsOf)
    {
        var groups = new Dictionary<ColumnNames, List<object?[]>>();
        foreach (var (key, change) in _changes)
        {
            if (setsOf(change) is not { Count: > 0 } sets) continue;
            var row = new object?[keys.Count + sets.Count];
            key.Values.CopyTo(row, 0);
            Add(groups, sets.WriteTo(row.AsSpan(keys.Count)), row);
        }
        foreach (var (columns, rows) in groups)
        {
            var raised = columns.Names.Where(n => n.StartsWith('+')).Select(n => n[1..]).ToHashSet(StringComparer.Ordinal);
            commands.Add(BulkSql.Update(table, keys, [.. columns.Names.Select(n => n.TrimStart('+'))], column => Expression(column, raised.Contains(column)), rows));
        }
    }

    private static void Add(Dictionary<ColumnNames, List<object?[]>> groups, ColumnNames columns, object?[] row)
    {
        ref var rows = ref CollectionsMarshal.GetValueRefOrAddDefault(groups, columns, out _);
        (rows ??= []).Add(row);
    }

    private static string Expression(string column, bool isRaise)
    {
        var name = BulkSql.Name(column);
        return isRaise ? $"greatest(t.{name}, v.{name})" : $"v.{name}";
    }

    private Change Of(IReadOnlyList<object> key)
    {
        if (key.Count != keys.Count) throw new ArgumentException($"A key of '{table}' has {keys.Count} values.", nameof(key));
        ref var change = ref CollectionsMarshal.GetValueRefOrAddDefault(_changes, new RowKey([.. key]), out _);
        return change ??= new Change();
    }

    // A row that the batch has deleted and not added again is not there.
    private static Settings? SetsOf(Change change) => change is { IsDeleted: true, Inserted: null } ? null : change.Sets ??= new Settings();

    private sealed class Change
    {
        public bool IsDeleted { get; set; }
        public IReadOnlyList<(string Column, object? Value)>? Inserted { get; set; }

        /// <summary>What was set before the insert of the same batch.</summary>
        public Settings? Early { get; set; }
        public Settings? Sets { get; set; }
    }

    private sealed record Setting(string Column, object? Value, bool IsRaise);

    /// <summary>A handful of columns, sorted by name when they are written.</summary>
    private sealed class Settings
    {
        private readonly List<Setting> _settings = [];

        public int Count => _settings.Count;

        public Setting? Find(string column) => _settings.Find(s => s.Column == column);

        public void Put(string column, object? value, bool isRaise)
        {
            var at = _settings.FindIndex(s => s.Column == column);
            if (at < 0) _settings.Add(new Setting(column, value, isRaise));
            else _settings[at] = new Setting(column, value, isRaise);
        }

        /// <summary>The values, and the columns' names; a plus stands before one that is only raised.</summary>
        public ColumnNames WriteTo(Span<object?> values)
        {
            _settings.Sort((a, b) => string.CompareOrdinal(a.Column, b.Column));
            var names = new string[_settings.Count];
            for (var i = 0; i < names.Length; i++)
            {
                names[i] = _settings[i].IsRaise ? "+" + _settings[i].Column : _settings[i].Column;
                values[i] = _settings[i].Value;
            }
            return new ColumnNames(names);
        }
    }

    private readonly struct ColumnNames(string[] names) : IEquatable<ColumnNames>
    {
        public string[] Names { get; } = names;

        public bool Equals(ColumnNames other) => Names.AsSpan().SequenceEqual(other.Names);

        public override bool Equals(object? obj) => obj is ColumnNames other && Equals(other);

        public override int GetHashCode()
        {
            var hash = default(HashCode);
            foreach (var name in Names) hash.Add(name, StringComparer.Ordinal);
            return hash.ToHashCode();
        }
    }
}
