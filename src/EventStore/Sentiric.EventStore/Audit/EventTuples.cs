using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Npgsql;

namespace Sentiric.EventStore;

/// <summary>
/// Events as PostgreSQL's binary COPY sends them, one at a time and without a copy: the bytes of a row are the bytes of its leaf.
/// <code>
///   | fields, int16 | length, int32 | bytes | length | bytes | ...      -1 fields: the end
/// </code>
/// </summary>
internal sealed class EventTuples : IAsyncDisposable
{
    public const int LeafFields = 14;
    private const int AllFields = LeafFields + 1;
    private const int HeaderBytes = 19;
    private const int InitialBuffer = 256 * 1024;

    private readonly NpgsqlRawCopyStream _copy;
    private readonly int[] _at = new int[AllFields];
    private readonly int[] _length = new int[AllFields];
    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(InitialBuffer);
    private int _next;
    private int _end;
    private int _fieldsAt;
    private int _fieldsEnd;

    private EventTuples(NpgsqlRawCopyStream copy) => _copy = copy;

    private enum Parsed
    {
        Row,
        More,
        End,
    }

    public long Position => Int64(0);

    public long Version => Int64(3);

    public bool? IsArchived => IsNull(LeafFields) ? null : Field(LeafFields)[0] != 0;

    /// <summary>All fields that the leaf covers, with their lengths. Valid until the next read, like everything here.</summary>
    public ReadOnlySpan<byte> Fields => _buffer.AsSpan(_fieldsAt, _fieldsEnd - _fieldsAt);

    /// <summary>Tenant and stream with their lengths: equal bytes, equal stream.</summary>
    public ReadOnlySpan<byte> Owner => _buffer.AsSpan(_at[1] - sizeof(int), _at[2] + _length[2] - _at[1] + sizeof(int));

    /// <summary>Rows of mt_events with <see cref="AuditTables.EventColumns"/>; <paramref name="rows"/> is the rest of the select, from its where on.</summary>
    public static async ValueTask<EventTuples> OpenAsync(NpgsqlConnection connection, AuditTables tables, string rows, CancellationToken ct)
    {
        var sql = $"copy (select {tables.EventColumns} from mt_events {rows}) to stdout (format binary)";
        var tuples = new EventTuples(await connection.BeginRawBinaryCopyAsync(sql, ct).ConfigureAwait(false));
        while (tuples._end < HeaderBytes) tuples.Take(await tuples._copy.ReadAsync(tuples._buffer.AsMemory(tuples._end), ct).ConfigureAwait(false));
        tuples._next = HeaderBytes;
        return tuples;
    }

    /// <summary>False at the end. PostgreSQL sends a message for each row, and most have arrived already: those cost no task of their own.</summary>
    public ValueTask<bool> ReadAsync(CancellationToken ct)
    {
        while (true)
        {
            var parsed = Parse();
            if (parsed != Parsed.More) return new(parsed == Parsed.Row);
            MakeRoom();
            var arriving = _copy.ReadAsync(_buffer.AsMemory(_end), ct);
            if (!arriving.IsCompletedSuccessfully) return ReadMoreAsync(arriving, ct);
            Take(arriving.Result);
        }
    }

    private async ValueTask<bool> ReadMoreAsync(ValueTask<int> arriving, CancellationToken ct)
    {
        Take(await arriving.ConfigureAwait(false));
        return await ReadAsync(ct).ConfigureAwait(false);
    }

    public bool IsNull(int field) => _length[field] < 0;

    public ReadOnlySpan<byte> Field(int field) => IsNull(field) ? [] : _buffer.AsSpan(_at[field], _length[field]);

    public long Int64(int field) => BinaryPrimitives.ReadInt64BigEndian(Field(field));

    public string? Text(int field) => IsNull(field) ? null : Encoding.UTF8.GetString(Field(field));

    public async ValueTask DisposeAsync()
    {
        await _copy.DisposeAsync().ConfigureAwait(false);
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
    }

    private Parsed Parse()
    {
        var data = _buffer.AsSpan(0, _end);
        var at = _next;
        if (data.Length - at < sizeof(short)) return Parsed.More;
        if (BinaryPrimitives.ReadInt16BigEndian(data[at..]) < 0) return Parsed.End;
        at += sizeof(short);
        var fieldsAt = at;
        for (var field = 0; field < AllFields; field++)
        {
            if (data.Length - at < sizeof(int)) return Parsed.More;
            var length = BinaryPrimitives.ReadInt32BigEndian(data[at..]);
            at += sizeof(int);
            (_at[field], _length[field]) = (at, length);
            at += Math.Max(length, 0);
            if (at > data.Length) return Parsed.More;
            if (field == LeafFields - 1) _fieldsEnd = at;
        }
        (_fieldsAt, _next) = (fieldsAt, at);
        return Parsed.Row;
    }

    private void MakeRoom()
    {
        if (_next > 0)
        {
            _buffer.AsSpan(_next, _end - _next).CopyTo(_buffer);
            (_next, _end) = (0, _end - _next);
        }
        else if (_end == _buffer.Length)
        {
            var larger = ArrayPool<byte>.Shared.Rent(_buffer.Length * 2);
            _buffer.AsSpan(0, _end).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = larger;
        }
    }

    private void Take(int read)
    {
        if (read == 0) throw new EndOfStreamException("PostgreSQL ended a copy in the middle of a row.");
        _end += read;
    }
}
