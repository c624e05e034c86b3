using System.Buffers.Binary;

namespace Sentiric.Media;

/// <summary>
/// Receives telephone events (RFC 4733): one digit per timestamp, told at its first packet, however many packets repeat it.
/// <code> | event (8) |E|R| volume (6) | duration (16) | </code> Not thread-safe: the leg owns it.
/// </summary>
public sealed class DtmfReceiver
{
    public const string Digits = "0123456789*#ABCD";
    private const int LongestDuration = 0xFFFF;

    private bool any;
    private uint lastTimestamp;
    private int lastEvent, lastDuration;

    /// <summary>The digit that this packet tells for the first time, or null.</summary>
    public char? Take(uint timestamp, ReadOnlySpan<byte> payload)
    {
        if (payload.Length < 4 || payload[0] >= Digits.Length) return null; // flash and modem tones are no digits
        var duration = BinaryPrimitives.ReadUInt16BigEndian(payload[2..]);
        var fresh = !any || ((int)(timestamp - lastTimestamp) > 0 && !IsNextSegment(timestamp, payload[0]));
        if (any && (int)(timestamp - lastTimestamp) < 0) return null; // a straggler of an earlier digit
        (any, lastTimestamp, lastEvent, lastDuration) = (true, timestamp, payload[0], duration);
        return fresh ? Digits[payload[0]] : null;
    }

    public void Reset() => any = false;

    // RFC 4733 2.5.1.3: a key held longer than the field can say goes on as a new segment right behind the old one.
    private bool IsNextSegment(uint timestamp, int eventCode) =>
        lastDuration == LongestDuration && eventCode == lastEvent && timestamp == lastTimestamp + LongestDuration;
}
