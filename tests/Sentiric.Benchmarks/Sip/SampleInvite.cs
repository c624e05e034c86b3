using System.Text;

namespace Sentiric.Benchmarks.Sip;

/// <summary>An INVITE as a carrier sends it: two Vias, a Record-Route, an identity and an offer of four codecs.</summary>
public static class SampleInvite
{
    public const string Offer =
        "v=0\r\no=- 3869 3869 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\nm=audio 24680 RTP/AVP 18 8 0 101\r\n" +
        "a=rtpmap:18 G729/8000\r\na=fmtp:18 annexb=no\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n" +
        "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n";

    public static byte[] Bytes { get; } = Encoding.UTF8.GetBytes(
        "INVITE sip:902121234567@192.0.2.1:5060 SIP/2.0\r\n" +
        "Via: SIP/2.0/UDP 192.0.2.20:5060;branch=z9hG4bK4a21.8f3b7c55.0\r\n" +
        "Via: SIP/2.0/UDP 192.0.2.10:5060;rport=5060;received=192.0.2.10;branch=z9hG4bK-524287-1---a3b1c2d3e4f5\r\n" +
        "Record-Route: <sip:192.0.2.20;lr;ftag=7f3c11>\r\n" +
        "Max-Forwards: 69\r\n" +
        "From: \"Ay\u015fe Y\u0131lmaz\" <sip:905321112233@192.0.2.10>;tag=7f3c11\r\n" +
        "To: <sip:902121234567@192.0.2.1>\r\n" +
        "Call-ID: 5b1f7e3a-9c2d-4e11-8a77-0242ac120002@192.0.2.10\r\n" +
        "CSeq: 102 INVITE\r\n" +
        "Contact: <sip:905321112233@192.0.2.10:5060;transport=udp>\r\n" +
        "P-Asserted-Identity: <sip:905321112233@192.0.2.10>\r\n" +
        "Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, SUBSCRIBE, NOTIFY, INFO, UPDATE\r\n" +
        "Supported: replaces, timer\r\n" +
        "User-Agent: carrier-gateway/4.2\r\n" +
        "Content-Type: application/sdp\r\n" +
        $"Content-Length: {Encoding.UTF8.GetByteCount(Offer)}\r\n\r\n" + Offer);
}
