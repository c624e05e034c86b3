namespace Sentiric.Sip;

/// <summary>Why bytes are no acceptable message.</summary>
/// <param name="StatusCode">The response that a request with this fault deserves (RFC 3261 21.4, 21.5); responses are discarded.</param>
/// <param name="Why">A fixed sentence that names the fault; holds nothing of the message.</param>
/// <param name="Raw">What could be cut apart, to mirror headers into the error response; null when not even that.</param>
public sealed record SipParseError(int StatusCode, string Why, SipRawMessage? Raw = null)
{
    /// <summary>True when the bytes look like a request other than ACK, which may be answered.</summary>
    public bool IsAnswerable => Raw is { } raw
        && !raw.StartLine.StartsWith("SIP/"u8) && !raw.StartLine.StartsWith("ACK "u8)
        && raw.Find(SipHeaderId.Via) >= 0;
}

/// <summary>Either a message or the error.</summary>
public readonly record struct SipParseResult(SipMessage? Message, SipParseError? Error);
