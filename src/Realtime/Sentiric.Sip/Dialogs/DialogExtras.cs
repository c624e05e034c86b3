using System.Threading.Channels;

namespace Sentiric.Sip;

/// <summary>What a dialog keeps only when it is used: a call of INVITE, ACK and BYE has none of it. Owned by the shard's queue, but for the handlers and the digits.</summary>
internal sealed class DialogExtras
{
    /// <summary>RFC 4028.</summary>
    public SessionTimer? Timer { get; set; }

    /// <summary>Their offer or late offer that the application is asked about; the machine allows one at a time.</summary>
    public AskedOffer? Asked { get; set; }

    /// <summary>Our re-INVITE or UPDATE with an offer; one at a time.</summary>
    public OfferAttempt? Attempt { get; set; }

    /// <summary>Until <see cref="Attempt"/> is tried again after glare.</summary>
    public SipTimer? Retry { get; set; }

    /// <summary>What we described last: a refresh by re-INVITE says it again.</summary>
    public string? LocalSdp { get; set; }

    /// <summary>Offers of the peer that were accepted.</summary>
    public int PeerOffers { get; set; }

    /// <summary>ACK of our last re-INVITE, for copies of its 2xx; null target until the way is found.</summary>
    public (byte[] Ack, SipTarget Target, uint Sequence)? ReinviteAck { get; set; }

    /// <summary>Key presses that came by INFO. Written on the queue, read by the application.</summary>
    public Channel<SipDigit>? Digits;

    /// <summary>Set by the application on any thread.</summary>
    public volatile Func<IncomingReferral, Task<SipAnswer>>? ReferHandler;

    /// <summary>REFERs that we accepted and report about.</summary>
    public List<IncomingReferral>? Accepted { get; set; }

    /// <summary>REFERs of ours by CSeq number.</summary>
    public Dictionary<uint, OutgoingReferral>? Asking { get; set; }
}
