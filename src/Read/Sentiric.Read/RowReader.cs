using System.Data.Common;

namespace Sentiric.Read;

/// <summary>Reads the columns of a row one after the other, in the order of the select list.</summary>
internal struct RowReader(DbDataReader row)
{
    private int _column;

    public Guid Guid() => row.GetGuid(_column++);

    public string Text() => row.GetString(_column++);

    public int Int() => row.GetInt32(_column++);

    public long Long() => row.GetInt64(_column++);

    public bool Bool() => row.GetBoolean(_column++);

    public double Double() => row.GetDouble(_column++);

    public DateTimeOffset Time() => new(row.GetDateTime(_column++), TimeSpan.Zero);

    public Guid? GuidOrNull() => Skip() ? null : Guid();

    public string? TextOrNull() => Skip() ? null : Text();

    public int? IntOrNull() => Skip() ? null : Int();

    public long? LongOrNull() => Skip() ? null : Long();

    public double? DoubleOrNull() => Skip() ? null : Double();

    public DateTimeOffset? TimeOrNull() => Skip() ? null : Time();

    private bool Skip()
    {
        var absent = row.IsDBNull(_column);
        _column += absent ? 1 : 0;
        return absent;
    }
}
