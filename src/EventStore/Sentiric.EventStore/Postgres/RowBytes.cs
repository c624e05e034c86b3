using System.Text;
using Npgsql;

namespace Sentiric.EventStore;

/// <summary>The text of the row before, with its bytes.</summary>
internal struct RepeatedText
{
    public byte[]? Utf8;
    public string Text;
}

/// <summary>
/// Columns as the bytes that the server sent, without an object for each. PostgreSQL sends a text as its UTF-8 and a jsonb as a version byte and its text
/// (source: backend/utils/adt/jsonb.c, jsonb_send).
/// </summary>
internal sealed class RowBytes(NpgsqlDataReader row)
{
    private const int StartLength = 2_048;
    private const byte JsonbVersion = 1;

    private byte[] _buffer = new byte[StartLength];

    /// <summary>A text column without null that mostly says the same as in the row before: then it is the same object. Of another one <paramref name="isOther"/> tells.</summary>
    public string Text(int column, ref RepeatedText before, out bool isOther)
    {
        var bytes = Bytes(column);
        isOther = before.Utf8 is null || !bytes.SequenceEqual(before.Utf8);
        if (isOther) before = new RepeatedText { Utf8 = bytes.ToArray(), Text = Encoding.UTF8.GetString(bytes) };
        return before.Text;
    }

    /// <summary>A jsonb column without null; valid until the next column is read.</summary>
    public ReadOnlyMemory<byte> Json(int column)
    {
        var length = Bytes(column).Length;
        return length > 0 && _buffer[0] == JsonbVersion
            ? _buffer.AsMemory(1, length - 1)
            : throw new NotSupportedException("PostgreSQL sent a jsonb of a version that is not known here.");
    }

    private ReadOnlySpan<byte> Bytes(int column)
    {
        var length = (int)row.GetBytes(column, 0, _buffer, 0, _buffer.Length);
        // Full: there may be more.
        if (length < _buffer.Length) return _buffer.AsSpan(0, length);
        var whole = (int)row.GetBytes(column, 0, null, 0, 0);
        if (whole > _buffer.Length) _buffer = new byte[whole + 1];
        return _buffer.AsSpan(0, (int)row.GetBytes(column, 0, _buffer, 0, whole));
    }
}
