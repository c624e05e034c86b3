namespace Sentiric.Media;

/// <summary>What the source lock says about one valid RTP packet.</summary>
public enum SourceVerdict
{
    /// <summary>Foreign, or not yet trusted: the packet goes no further.</summary>
    Drop,

    /// <summary>From the stream that we listen to.</summary>
    Accept,

    /// <summary>The first packet of another stream that we now listen to: whatever was learned of the old one is void.</summary>
    AcceptNewStream,
}

/// <summary>
/// Decides whose audio a leg listens to (symmetric RTP, RFC 4961, against injection).
/// The address in the SDP is believed at once and kept after four valid packets. Another address (a phone behind NAT)
/// needs four consecutive packets of one SSRC while the SDP address is silent, and yields to the SDP address later.
/// Once locked, only a re-negotiation (<see cref="Expect"/>) or silence opens the lock again.
/// Only packets with a negotiated payload type may be shown to it; RTCP never. Not thread-safe: the leg owns it.
/// </summary>
public sealed class SourceLock(TimeSpan relockAfterSilence)
{
    public const int PacketsToLock = 4;
    public const int PacketsToChangeSsrc = 2;
    private const int MaxCandidates = 4;

    private readonly long relockAfterUs = (long)relockAfterSilence.TotalMicroseconds;
    private readonly Candidate[] candidates = new Candidate[MaxCandidates];
    private int nextCandidate;
    private UdpAddress? expected;
    private uint? staleSsrc;
    private UdpAddress source;
    private uint ssrc;
    private bool listening;
    private long lastAcceptedUs;
    private Candidate trusted;

    private struct Candidate
    {
        public UdpAddress From;
        public uint Ssrc;
        public ushort Next;
        public int Run;
    }

    public bool IsLocked { get; private set; }

    /// <summary>Packets dropped because they came from somewhere else.</summary>
    public long Foreign { get; private set; }

    /// <summary>The SSRC that we listen to, if any.</summary>
    public uint? Ssrc => listening ? ssrc : null;

    /// <summary>Where to send: the locked source, else the address that the SDP named.</summary>
    public UdpAddress? SendTo => IsLocked ? source : expected;

    /// <summary>
    /// A new offer/answer named this address: the lock opens if the address changed. An SSRC that belonged to an earlier
    /// call on the same port is never learned from a foreign address.
    /// </summary>
    public void Expect(UdpAddress? address, uint? ssrcOfEarlierCall = null)
    {
        staleSsrc = ssrcOfEarlierCall ?? staleSsrc;
        if (address == expected && address is not null) return;
        expected = address;
        Reset();
    }

    public void Reset()
    {
        IsLocked = false;
        listening = false;
        trusted = default;
        Array.Clear(candidates);
    }

    /// <summary>True when RTCP from here concerns this leg: same host as the audio or as the SDP said.</summary>
    public bool IsOurPeer(UdpAddress from) =>
        (listening && from.Address == source.Address) || (expected is { } sdp && from.Address == sdp.Address);

    public SourceVerdict Admit(UdpAddress from, uint packetSsrc, ushort sequence, long nowUs)
    {
        var verdict = listening && from == source ? FromOurSource(packetSsrc, sequence) : FromElsewhere(from, packetSsrc, sequence, nowUs);
        if (verdict == SourceVerdict.Drop) Foreign++;
        else lastAcceptedUs = nowUs;
        return verdict;
    }

    private SourceVerdict FromOurSource(uint packetSsrc, ushort sequence)
    {
        if (packetSsrc == ssrc)
        {
            if (!IsLocked) IsLocked = Continue(ref trusted, source, packetSsrc, sequence) >= PacketsToLock;
            return SourceVerdict.Accept;
        }
        // A sender may restart with a new SSRC (RFC 3550 8.2); one odd packet is not a restart.
        ref var candidate = ref CandidateFor(source, packetSsrc);
        if (Continue(ref candidate, source, packetSsrc, sequence) < PacketsToChangeSsrc) return SourceVerdict.Drop;
        return ListenTo(source, packetSsrc, sequence);
    }

    private SourceVerdict FromElsewhere(UdpAddress from, uint packetSsrc, ushort sequence, long nowUs)
    {
        var isExpected = from == expected;
        if (!isExpected && packetSsrc == staleSsrc) return SourceVerdict.Drop;
        if (!listening && isExpected) return ListenTo(from, packetSsrc, sequence);
        var silent = nowUs - lastAcceptedUs >= relockAfterUs;
        if (listening && !silent && !(isExpected && source != expected)) return SourceVerdict.Drop;
        ref var candidate = ref CandidateFor(from, packetSsrc);
        if (Continue(ref candidate, from, packetSsrc, sequence) < PacketsToLock) return SourceVerdict.Drop;
        IsLocked = true;
        return ListenTo(from, packetSsrc, sequence);
    }

    private SourceVerdict ListenTo(UdpAddress from, uint packetSsrc, ushort sequence)
    {
        (source, ssrc, listening) = (from, packetSsrc, true);
        Array.Clear(candidates);
        trusted = new Candidate { From = from, Ssrc = packetSsrc, Next = (ushort)(sequence + 1), Run = 1 };
        return SourceVerdict.AcceptNewStream;
    }

    // RFC 3550 A.1 probation: a run of packets whose sequence numbers follow each other.
    private static int Continue(ref Candidate candidate, UdpAddress from, uint packetSsrc, ushort sequence)
    {
        var follows = candidate.Run > 0 && candidate.Next == sequence;
        candidate = new Candidate { From = from, Ssrc = packetSsrc, Next = (ushort)(sequence + 1), Run = follows ? candidate.Run + 1 : 1 };
        return candidate.Run;
    }

    // A spray of addresses only overwrites other candidates, in turn.
    private ref Candidate CandidateFor(UdpAddress from, uint packetSsrc)
    {
        for (var i = 0; i < candidates.Length; i++)
        {
            if (candidates[i].Run > 0 && candidates[i].From == from && candidates[i].Ssrc == packetSsrc) return ref candidates[i];
        }
        nextCandidate = (nextCandidate + 1) % MaxCandidates;
        candidates[nextCandidate] = default;
        return ref candidates[nextCandidate];
    }
}
