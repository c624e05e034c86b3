namespace Sentiric.Sip;

/// <summary>
/// A message cut into start line, header lines and body, nothing judged yet. It owns its bytes; headers keep their order,
/// their spelling and their values byte for byte.
/// </summary>
public sealed class SipRawMessage
{
    private readonly byte[] wire;
    private readonly byte[] unfolded;
    private readonly HeaderSlot[] headers;
    private readonly SipHeaderIndex index;
    private readonly WirePart startLine;
    private readonly WirePart body;

    internal SipRawMessage(byte[] wire, byte[] unfolded, WirePart startLine, ReadOnlySpan<HeaderSlot> headers, in SipHeaderIndex index, WirePart body)
    {
        this.wire = wire;
        this.unfolded = unfolded;
        this.startLine = startLine;
        this.headers = headers.ToArray();
        this.index = index;
        this.body = body;
    }

    /// <summary>The message as it travelled, octets after the body cut off.</summary>
    public ReadOnlyMemory<byte> Wire => wire.AsMemory(0, body.End);

    public ReadOnlySpan<byte> StartLine => startLine.Of(unfolded);

    public ReadOnlyMemory<byte> Body => wire.AsMemory(body.Start, body.Length);

    public int HeaderCount => headers.Length;

    internal ref readonly SipHeaderIndex Index => ref index;

    public SipHeaderId Id(int index) => headers[index].Id;

    /// <summary>The header name as written, compact or in full.</summary>
    public string Name(int index) => WireText.Wire(headers[index].Name.Of(unfolded));

    /// <summary>The value without surrounding white space; folds have become spaces (RFC 3261 7.3.1).</summary>
    public ReadOnlySpan<byte> Value(int index) => headers[index].Value.Of(unfolded);

    /// <summary>Index of the first header with this id at or after <paramref name="from"/>; -1 when there is none.</summary>
    public int Find(SipHeaderId id, int from = 0)
    {
        int first = index.First(id);
        if (first >= from || first < 0)
        {
            return first;
        }

        for (int i = from; i < headers.Length; i++)
        {
            if (headers[i].Id == id)
            {
                return i;
            }
        }

        return -1;
    }

    /// <summary>What the places of headers and start line count in; never written to again, so whoever reads a part later may hold on to it.</summary>
    internal byte[] Bytes => unfolded;

    internal WirePart StartLinePlace => startLine;

    internal WirePart Place(int index) => headers[index].Value;

    /// <summary>A cursor at the start of a value.</summary>
    internal SipScanner Scan(int index) => new(unfolded, headers[index].Value);

    /// <summary>A cursor at the start of any part.</summary>
    internal SipScanner Scan(WirePart place) => new(unfolded, place);

    /// <summary>The name as written, compact or in full.</summary>
    internal ReadOnlySpan<byte> NameBytes(int index) => headers[index].Name.Of(unfolded);

    /// <summary>The place of a header's name and of its value without the white space around it.</summary>
    internal readonly record struct HeaderSlot(SipHeaderId Id, WirePart Name, WirePart Value);
}
