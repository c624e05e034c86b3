namespace Sentiric.Sip;

/// <summary>
/// A message cut into start line, header lines and body, nothing judged yet. It owns its bytes; headers keep their order,
/// their spelling and their values byte for byte.
/// </summary>
public sealed class SipRawMessage
{
    private readonly byte[] wire;
    private readonly byte[] unfolded;
    private readonly List<HeaderSlot> headers;
    private readonly Range startLine;
    private readonly Range body;

    internal SipRawMessage(byte[] wire, byte[] unfolded, Range startLine, List<HeaderSlot> headers, Range body)
    {
        this.wire = wire;
        this.unfolded = unfolded;
        this.startLine = startLine;
        this.headers = headers;
        this.body = body;
    }

    /// <summary>The message as it travelled, octets after the body cut off.</summary>
    public ReadOnlyMemory<byte> Wire => wire.AsMemory(0, body.End.GetOffset(wire.Length));

    public ReadOnlySpan<byte> StartLine => unfolded.AsSpan(startLine);

    public ReadOnlyMemory<byte> Body => wire.AsMemory(body);

    public int HeaderCount => headers.Count;

    public SipHeaderId Id(int index) => headers[index].Id;

    /// <summary>The header name as written, compact or in full.</summary>
    public string Name(int index) => WireText.Wire(unfolded.AsSpan(headers[index].Name));

    /// <summary>The value without surrounding white space; folds have become spaces (RFC 3261 7.3.1).</summary>
    public ReadOnlySpan<byte> Value(int index) => SipScanner.Trim(unfolded.AsSpan(headers[index].Value));

    /// <summary>Index of the first header with this id at or after <paramref name="from"/>; -1 when there is none.</summary>
    public int Find(SipHeaderId id, int from = 0)
    {
        for (int i = from; i < headers.Count; i++)
        {
            if (headers[i].Id == id)
            {
                return i;
            }
        }

        return -1;
    }

    internal readonly record struct HeaderSlot(SipHeaderId Id, Range Name, Range Value);
}
