using System.Globalization;
using Npgsql;

namespace Sentiric.EventStore;

/// <summary>Many rows in one statement: a column of values is one array, which <c>unnest</c> makes rows of again.</summary>
internal static class BulkSql
{
    /// <summary>Rows by key; of two rows with one key in a call the later counts, and no column but the given ones changes in a row that is there.</summary>
    public static NpgsqlBatchCommand Upsert(string table, IReadOnlyList<string> keys, IReadOnlyList<string> columns, IReadOnlyList<object?[]> rows)
    {
        var all = (string[])[.. keys, .. columns];
        if (rows.Any(r => r.Length != all.Length)) throw new ArgumentException("Every row has a value for each key and each column.", nameof(rows));
        var distinct = LastOfEachKey(keys.Count, rows);
        var source = Source(all, distinct);
        var sets = string.Join(", ", columns.Select(Name).Select(c => $"{c} = excluded.{c}"));
        var sql = $"insert into {table} ({Names(all)}) select {source.Select} from {source.From} on conflict ({Names(keys)}) do "
            + (columns.Count == 0 ? "nothing" : "update set " + sets);
        return source.Command(sql);
    }

    /// <summary>Rows that are not there yet; what is there stays as it is.</summary>
    public static NpgsqlBatchCommand InsertMissing(string table, IReadOnlyList<string> columns, IReadOnlyList<object?[]> rows)
    {
        var source = Source(columns, rows);
        return source.Command($"insert into {table} ({Names(columns)}) select {source.Select} from {source.From} on conflict do nothing");
    }

    /// <summary>Sets columns of rows that are there; <paramref name="sets"/> may use <c>t.</c> for the row and <c>v.</c> for the new values.</summary>
    public static NpgsqlBatchCommand Update(
        string table, IReadOnlyList<string> keys, IReadOnlyList<string> columns, Func<string, string> sets, IReadOnlyList<object?[]> rows)
    {
        var source = Source([.. keys, .. columns], rows);
        var assignments = string.Join(", ", columns.Select(c => $"{Name(c)} = {(source.Nulls.Contains(c) ? "null" : sets(c))}"));
        var match = string.Join(" and ", keys.Select(k => $"t.{Name(k)} = v.{Name(k)}"));
        return source.Command($"update {table} t set {assignments} from (select {source.Select} from {source.From}) v where {match}");
    }

    public static NpgsqlBatchCommand Delete(string table, IReadOnlyList<string> keys, IReadOnlyList<object?[]> rows)
    {
        var source = Source(keys, rows);
        var match = string.Join(" and ", keys.Select(k => $"t.{Name(k)} = v.{Name(k)}"));
        return source.Command($"delete from {table} t using (select {source.Select} from {source.From}) v where {match}");
    }

    /// <summary>A column may be followed by the cast that its values need: <c>data::jsonb</c>.</summary>
    internal static string Name(string column) => column.IndexOf("::", StringComparison.Ordinal) is var at and >= 0 ? column[..at] : column;

    private static string Names(IEnumerable<string> columns) => string.Join(", ", columns.Select(Name));

    private static IReadOnlyList<object?[]> LastOfEachKey(int keys, IReadOnlyList<object?[]> rows)
    {
        var last = new Dictionary<RowKey, object?[]>(rows.Count);
        foreach (var row in rows) last[new RowKey(row[..keys])] = row;
        return last.Count == rows.Count ? rows : [.. last.Values];
    }

    /// <summary>A column of nothing but nulls has no type of its own; a null in the select list takes the column's.</summary>
    private static RowSource Source(IReadOnlyList<string> columns, IReadOnlyList<object?[]> rows)
    {
        var arrays = new List<Array>(columns.Count);
        var (select, aliases, nulls) = (new List<string>(columns.Count), new List<string>(columns.Count), new HashSet<string>());
        for (var i = 0; i < columns.Count; i++)
        {
            var (name, cast) = (Name(columns[i]), columns[i][Name(columns[i]).Length..]);
            if (ArrayOf(rows, i) is { } values)
            {
                arrays.Add(values);
                aliases.Add(name);
                select.Add($"u.{name}{cast} as {name}");
            }
            else
            {
                select.Add($"null{cast} as {name}");
                nulls.Add(columns[i]);
            }
        }
        var parameters = string.Join(", ", Enumerable.Range(1, arrays.Count).Select(n => "$" + n.ToString(CultureInfo.InvariantCulture)));
        return new RowSource(string.Join(", ", select), $"unnest({parameters}) as u({string.Join(", ", aliases)})", arrays, nulls);
    }

    private static Array? ArrayOf(IReadOnlyList<object?[]> rows, int column)
    {
        foreach (var row in rows)
        {
            if (row[column] is { } first) return Fill(first, rows, column);
        }
        return null;
    }

    private static Array Fill(object first, IReadOnlyList<object?[]> rows, int column) => first switch
    {
        string => Typed(rows, column, v => (string?)v),
        Guid => Typed(rows, column, v => (Guid?)v),
        int => Typed(rows, column, v => (int?)v),
        short => Typed(rows, column, v => (short?)v),
        long => Typed(rows, column, v => (long?)v),
        bool => Typed(rows, column, v => (bool?)v),
        double => Typed(rows, column, v => (double?)v),
        decimal => Typed(rows, column, v => (decimal?)v),
        DateTime => Typed(rows, column, v => (DateTime?)v),
        DateTimeOffset => Typed(rows, column, v => ((DateTimeOffset?)v)?.UtcDateTime),
        byte[] => Typed(rows, column, v => (byte[]?)v),
        _ => throw new ArgumentException($"A bulk value cannot be a {first.GetType().Name}; give its text and a cast in the column's name.", nameof(first)),
    };

    private static T[] Typed<T>(IReadOnlyList<object?[]> rows, int column, Func<object?, T> read)
    {
        var values = new T[rows.Count];
        for (var i = 0; i < values.Length; i++) values[i] = read(rows[i][column]);
        return values;
    }

    private readonly record struct RowSource(string Select, string From, IReadOnlyList<Array> Arrays, IReadOnlySet<string> Nulls)
    {
        public NpgsqlBatchCommand Command(string sql)
        {
            var command = new NpgsqlBatchCommand(sql);
            foreach (var values in Arrays) command.Parameters.Add(new() { Value = values });
            return command;
        }
    }
}

/// <summary>The key of a row, equal by its values.</summary>
internal readonly struct RowKey(object?[] values) : IEquatable<RowKey>
{
    public object?[] Values { get; } = values;

    public bool Equals(RowKey other) => Values.AsSpan().SequenceEqual(other.Values);

    public override bool Equals(object? obj) => obj is RowKey other && Equals(other);

    public override int GetHashCode()
    {
        var hash = default(HashCode);
        foreach (var value in Values) hash.Add(value);
        return hash.ToHashCode();
    }
}
