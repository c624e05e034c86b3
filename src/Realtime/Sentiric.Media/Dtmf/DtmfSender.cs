using System.Buffers.Binary;

namespace Sentiric.Media;

/// <summary>One telephone-event packet to send now.</summary>
public readonly record struct DtmfPacket(bool Marker, uint Timestamp, byte Event, bool End, ushort Duration)
{
    public const int Size = 4;
    private const byte Volume = 10; // -10 dBm0, the usual level of a telephone

    public void Write(Span<byte> payload)
    {
        payload[0] = Event;
        payload[1] = (byte)((End ? 0x80 : 0) | Volume);
        BinaryPrimitives.WriteUInt16BigEndian(payload[2..], Duration);
    }
}

/// <summary>
/// Sends telephone events (RFC 4733): a packet every 20 ms while the key is down, three end packets, then a pause.
/// All packets of a key carry the timestamp of its start. Not thread-safe: the leg owns it.
/// </summary>
public sealed class DtmfSender
{
    public const int MaxQueued = 64;
    private const int KeyTicks = 5, EndPackets = 3, PauseTicks = 3;

    private readonly Queue<byte> keys = new();
    private int tick = -1;
    private uint start;
    private byte key;

    /// <summary>True while a key or the pause behind it occupies the stream: audio waits.</summary>
    public bool IsBusy => tick >= 0 || keys.Count > 0;

    /// <summary>False, with nothing queued, for unknown digits or more than fit.</summary>
    public bool Enqueue(string digits)
    {
        if (digits.Any(d => CodeOf(d) < 0) || keys.Count + digits.Length > MaxQueued) return false;
        foreach (var digit in digits) keys.Enqueue((byte)CodeOf(digit));
        return true;
    }

    /// <summary>One step of 20 ms; null in the pauses.</summary>
    /// <param name="ticksPerStep">Of the clock of the events (RFC 4733 2.1), in 20 ms.</param>
    public DtmfPacket? Next(uint timestamp, int ticksPerStep = JitterBuffer.FrameSamples)
    {
        if (tick < 0)
        {
            if (!keys.TryDequeue(out key)) return null;
            (tick, start) = (0, timestamp);
        }
        var now = tick++;
        if (tick == KeyTicks + EndPackets + PauseTicks) tick = -1;
        if (now >= KeyTicks + EndPackets) return null;
        var duration = (ushort)(ticksPerStep * Math.Min(now + 1, KeyTicks));
        return new DtmfPacket(now == 0, start, key, now >= KeyTicks, duration);
    }

    private static int CodeOf(char digit) => DtmfReceiver.Digits.IndexOf(char.ToUpperInvariant(digit), StringComparison.Ordinal);
}
