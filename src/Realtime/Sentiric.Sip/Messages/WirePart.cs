namespace Sentiric.Sip;

/// <summary>
/// A part of a wire value by its place; absent is not the same as empty. Two bytes for start and end are enough: nothing longer than
/// <see cref="SipLimits.MessageBytes"/> is ever cut into parts. They are one number, so that the processor never waits for two halves to become one.
/// </summary>
internal readonly record struct WirePart
{
    private const ushort Nowhere = ushort.MaxValue;
    private readonly uint both;

    public WirePart(int start, int end) => both = (ushort)start | ((uint)end << 16);

    public static WirePart Absent => new(Nowhere, Nowhere);

    public int Start => (ushort)both;

    public int End => (int)(both >> 16);

    public bool IsPresent => Start != Nowhere;

    public int Length => End - Start;

    public ReadOnlySpan<byte> Of(ReadOnlySpan<byte> value) => value[Start..End];

    /// <summary>The same part of a value that begins elsewhere.</summary>
    public WirePart Moved(int by) => IsPresent ? new WirePart(Start + by, End + by) : this;
}
