namespace Sentiric.Sip;

/// <summary>
/// A part of a wire value by its place; absent is not the same as empty. Two bytes each are enough: nothing longer than
/// <see cref="SipLimits.MessageBytes"/> is ever cut into parts.
/// </summary>
internal readonly record struct WirePart
{
    private const ushort Nowhere = ushort.MaxValue;
    private readonly ushort start;
    private readonly ushort end;

    public WirePart(int start, int end) => (this.start, this.end) = ((ushort)start, (ushort)end);

    public static WirePart Absent => new(Nowhere, Nowhere);

    public int Start => start;

    public int End => end;

    public bool IsPresent => start != Nowhere;

    public int Length => end - start;

    public ReadOnlySpan<byte> Of(ReadOnlySpan<byte> value) => value[start..end];

    public ReadOnlySpan<char> Of(ReadOnlySpan<char> value) => value[start..end];

    /// <summary>The same part of a value that begins elsewhere.</summary>
    public WirePart Moved(int by) => IsPresent ? new WirePart(start + by, end + by) : this;
}
