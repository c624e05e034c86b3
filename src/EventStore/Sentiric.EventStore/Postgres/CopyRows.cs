using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Npgsql;

namespace Sentiric.EventStore;

/// <summary>
/// Rows as PostgreSQL's binary COPY sends them, one at a time in one buffer: a field is a slice of it, so a row costs its parsing and no object.
/// What is handed out is valid until the next read.
/// <code>
///   | fields, int16 | length, int32 | bytes | length | bytes | ...      -1 as a length: null; -1 fields: the end
/// </code>
/// Source: PostgreSQL documentation, COPY, Binary Format.
/// </summary>
internal class CopyRows : IAsyncDisposable
{
    private const int HeaderBytes = 19;
    private const int InitialBuffer = 256 * 1024;
    private const byte JsonbVersion = 1;

    private readonly NpgsqlRawCopyStream _copy;
    private readonly int[] _at;
    private readonly int[] _length;
    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(InitialBuffer);
    private int _next;
    private int _end;
    private bool _isOver;

    protected CopyRows(NpgsqlRawCopyStream copy, int fields) => (_copy, _at, _length) = (copy, new int[fields], new int[fields]);

    private enum Parsed
    {
        Row,
        More,
        End,
    }

    /// <param name="select">The query; a COPY takes no parameters, so its values stand in it.</param>
    /// <param name="fields">How many columns it has.</param>
    public static async ValueTask<CopyRows> OpenAsync(NpgsqlConnection connection, string select, int fields, CancellationToken ct)
    {
        var rows = new CopyRows(await BeginAsync(connection, select, ct).ConfigureAwait(false), fields);
        await rows.StartAsync(ct).ConfigureAwait(false);
        return rows;
    }

    /// <summary>A text as it stands in a statement without parameters.</summary>
    public static string Literal(string text) => "'" + text.Replace("'", "''", StringComparison.Ordinal) + "'";

    /// <summary>False at the end. Most rows are in the buffer already, and cost no more than their parsing.</summary>
    public ValueTask<bool> ReadAsync(CancellationToken ct)
    {
        while (true)
        {
            switch (Parse())
            {
                case Parsed.Row: return new(true);
                case Parsed.End:
                    _isOver = true;
                    return new(false);
                case Parsed.More: break;
                case var other: throw new InvalidOperationException($"A row cannot be '{other}'.");
            }
            // A message of the server is a row, and the driver gives one at a time.
            var filling = _copy.ReadAsync(Room(), ct);
            if (!filling.IsCompletedSuccessfully) return ReadMoreAsync(filling, ct);
            Add(filling.Result);
        }
    }

    public bool IsNull(int field) => _length[field] < 0;

    public ReadOnlySpan<byte> Field(int field) => IsNull(field) ? [] : _buffer.AsSpan(_at[field], _length[field]);

    public long Int64(int field) => BinaryPrimitives.ReadInt64BigEndian(Field(field));

    public Guid Guid(int field) => new(Field(field), bigEndian: true);

    public string? Text(int field) => IsNull(field) ? null : Encoding.UTF8.GetString(Field(field));

    /// <summary>A jsonb without null: its text. PostgreSQL sends a version before it (backend/utils/adt/jsonb.c, jsonb_send).</summary>
    public ReadOnlySpan<byte> Json(int field)
    {
        var sent = Field(field);
        return sent.Length > 0 && sent[0] == JsonbVersion
            ? sent[1..]
            : throw new NotSupportedException("PostgreSQL sent a jsonb of a version that is not known here.");
    }

    /// <summary>A timestamp with time zone, UTC; the infinities are the ends of what a <see cref="DateTime"/> holds.</summary>
    public DateTime Timestamp(int field) => Int64(field) switch
    {
        long.MaxValue => DateTime.MaxValue,
        long.MinValue => DateTime.MinValue,
        var microseconds => Timestamps.FromPostgres(microseconds),
    };

    /// <summary>These fields and their lengths, as they were sent.</summary>
    protected ReadOnlySpan<byte> Sent(int from, int to) => _buffer.AsSpan(_at[from] - sizeof(int), _at[to] + Math.Max(_length[to], 0) - _at[from] + sizeof(int));

    protected static Task<NpgsqlRawCopyStream> BeginAsync(NpgsqlConnection connection, string select, CancellationToken ct) =>
        connection.BeginRawBinaryCopyAsync($"copy ({select}) to stdout (format binary)", ct);

    protected async ValueTask StartAsync(CancellationToken ct)
    {
        try
        {
            while (_end < HeaderBytes) Add(await _copy.ReadAsync(Room(), ct).ConfigureAwait(false));
            _next = HeaderBytes;
        }
        catch
        {
            _isOver = true;
            await DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            // What is left would be thrown away by a read that blocks.
            while (!_isOver && await _copy.ReadAsync(_buffer.AsMemory(), CancellationToken.None).ConfigureAwait(false) > 0) { }
        }
        finally
        {
            _isOver = true;
            await _copy.DisposeAsync().ConfigureAwait(false);
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = [];
        }
    }

    private async ValueTask<bool> ReadMoreAsync(ValueTask<int> filling, CancellationToken ct)
    {
        try
        {
            Add(await filling.ConfigureAwait(false));
        }
        catch
        {
            // A copy that failed has nothing left to read.
            _isOver = true;
            throw;
        }
        return await ReadAsync(ct).ConfigureAwait(false);
    }

    private Parsed Parse()
    {
        var data = _buffer.AsSpan(0, _end);
        var at = _next;
        if (data.Length - at < sizeof(short)) return Parsed.More;
        if (BinaryPrimitives.ReadInt16BigEndian(data[at..]) < 0) return Parsed.End;
        at += sizeof(short);
        var starts = _at.AsSpan();
        var lengths = _length.AsSpan(0, starts.Length);
        for (var field = 0; field < starts.Length; field++)
        {
            if (data.Length - at < sizeof(int)) return Parsed.More;
            var length = BinaryPrimitives.ReadInt32BigEndian(data[at..]);
            at += sizeof(int);
            (starts[field], lengths[field]) = (at, length);
            at += Math.Max(length, 0);
            if (at > data.Length) return Parsed.More;
        }
        _next = at;
        return Parsed.Row;
    }

    private Memory<byte> Room()
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
        return _buffer.AsMemory(_end);
    }

    private void Add(int read)
    {
        if (read == 0) throw new EndOfStreamException("PostgreSQL ended a copy in the middle of a row.");
        _end += read;
    }
}
