using System.Buffers.Binary;

namespace Sentiric.Media;

/// <summary>Why a sealed packet went no further.</summary>
public enum SrtpVerdict
{
    Open,

    /// <summary>Too short, or no RTP or RTCP at all.</summary>
    Malformed,

    /// <summary>It was here before, or it is older than the window.</summary>
    Replayed,

    /// <summary>Not from whoever has the key, or changed on its way.</summary>
    Forged,
}

/// <summary>
/// Opens what the remote party sends: guesses the rollover counter of each packet (RFC 3711 3.3.1, appendix A), checks the replay
/// window (3.3.2), then the tag; nothing is remembered of a packet before its tag was right. A few SSRCs at a time: a sender that
/// starts anew draws another one. Not thread-safe.
/// </summary>
public sealed class SrtpReceiver(SrtpKey key) : IDisposable
{
    public const int WindowPackets = 64;
    private const int MaxSources = 4;

    private readonly SrtpCipher cipher = SrtpCipher.For(key);
    private readonly Source[] sources = new Source[MaxSources];
    private int nextSource;

    private struct Source
    {
        public bool Used;
        public uint Ssrc;
        public Window Rtp, Rtcp;
    }

    /// <summary>Bit n of <see cref="Seen"/>: the packet n before the highest was here.</summary>
    private struct Window
    {
        public bool Started;
        public ulong Highest, Seen;

        public readonly bool Allows(ulong index) =>
            !Started || index > Highest || (Highest - index < WindowPackets && (Seen >> (int)(Highest - index) & 1) == 0);

        public void Take(ulong index)
        {
            if (!Started) (Started, Highest, Seen) = (true, index, 1);
            else if (index > Highest)
            {
                var step = index - Highest;
                (Highest, Seen) = (index, step < WindowPackets ? Seen << (int)step | 1 : 1);
            }
            else Seen |= 1UL << (int)(Highest - index);
        }
    }

    public SrtpKey Key { get; } = key;

    /// <summary>The target must hold the whole packet.</summary>
    public SrtpVerdict Open(ReadOnlySpan<byte> packet, Span<byte> target, out int length)
    {
        length = 0;
        if (!RtpHeader.TryReadSealed(packet, out var sequence, out var ssrc, out var headerBytes)) return SrtpVerdict.Malformed;
        var at = Find(ssrc);
        var window = at < 0 ? default : sources[at].Rtp;
        var index = window.Started ? Guess(window.Highest, sequence) : sequence;
        if (!window.Allows(index)) return SrtpVerdict.Replayed;
        if (!cipher.TryOpen(packet, headerBytes, (uint)(index >> 16), target, out length)) return SrtpVerdict.Forged;
        sources[at < 0 ? Adopt(ssrc) : at].Rtp.Take(index);
        return SrtpVerdict.Open;
    }

    /// <summary>The target must hold the whole packet.</summary>
    public SrtpVerdict OpenRtcp(ReadOnlySpan<byte> packet, Span<byte> target, out int length)
    {
        length = 0;
        if (packet.Length < 8) return SrtpVerdict.Malformed;
        if (!cipher.TryOpenRtcp(packet, target, out length, out var index)) return SrtpVerdict.Forged;
        var ssrc = BinaryPrimitives.ReadUInt32BigEndian(packet[4..]);
        var at = Find(ssrc);
        if (at >= 0 && !sources[at].Rtcp.Allows(index)) return SrtpVerdict.Replayed;
        sources[at < 0 ? Adopt(ssrc) : at].Rtcp.Take(index);
        return SrtpVerdict.Open;
    }

    public void Dispose() => cipher.Dispose();

    // RFC 3711 appendix A: the rollover count that brings the sequence number nearest to the highest index so far.
    private static ulong Guess(ulong highest, ushort sequence)
    {
        var (rollovers, last) = (highest >> 16, (int)(highest & 0xFFFF));
        if (last < 32_768)
        {
            if (sequence - last > 32_768 && rollovers > 0) rollovers--;
        }
        else if (last - 32_768 > sequence) rollovers++;
        return rollovers << 16 | sequence;
    }

    private int Find(uint ssrc)
    {
        for (var i = 0; i < sources.Length; i++)
        {
            if (sources[i].Used && sources[i].Ssrc == ssrc) return i;
        }
        return -1;
    }

    // Only who has the key comes here, so the oldest one gives way.
    private int Adopt(uint ssrc)
    {
        var at = nextSource;
        nextSource = (nextSource + 1) % MaxSources;
        sources[at] = new Source { Used = true, Ssrc = ssrc };
        return at;
    }
}
