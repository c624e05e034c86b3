using Sentiric.Benchmarks.Kit;
using Sentiric.Media;
using Sentiric.Sip;

namespace Sentiric.Benchmarks.Sip;

/// <summary>Reading an INVITE with its offer and writing the answer to it, on one thread without a network.</summary>
public static class Messages
{
    private const string Answer = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 30000 RTP/AVP 8 101\r\n"
        + "a=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n";

    public static Task RunAsync(Bench bench)
    {
        var (bytes, answer) = (SampleInvite.Bytes, System.Text.Encoding.UTF8.GetBytes(Answer));
        var (marks, parsed) = (0, 0);
        bench.Say("byte scan");
        var scan = Measure.Loop(() => marks += Lines(bytes));
        bench.Say("parse");
        var routing = Measure.Loop(() => parsed += Routed(bytes));
        var check = Measure.Loop(() => parsed += SipParser.ParseDatagram(bytes).Message is SipRequest ? 1 : 0);
        var message = Measure.Loop(() => parsed += Typed(bytes));
        var whole = Measure.Loop(() => parsed += ParseWithOffer(bytes) ? 1 : 0);
        bench.Say("write");
        var writing = Measure.Loop(() => parsed += Ok(answer).Length);
        if (marks == 0 || parsed == 0 || !ParseWithOffer(bytes) || Routed(bytes) == 0) throw new InvalidDataException("The sample INVITE is not understood.");

        var floor = ("line scan", scan.Nanoseconds);
        bench.Add(new Row("sip.floor.scan", $"finding the lines of an INVITE of {bytes.Length} bytes", scan.Nanoseconds, "ns"));
        bench.Add(new Row("sip.route", "INVITE: method, host, Call-ID, branch, CSeq and tags read in place", routing.Nanoseconds, "ns") { Reference = floor, Target = Target.AtMost(500) });
        bench.Add(new Row("sip.route.bytes", "the same, allocated", routing.Bytes, "B") { Target = Target.AtMost(0) });
        bench.Add(new Row("sip.check", "INVITE cut, its routing headers checked, nothing made of them yet", check.Nanoseconds, "ns")
        {
            Reference = floor, Detail = $"{Figure.Of(check.Bytes)} B allocated",
        });
        bench.Add(new Row("sip.parse", "INVITE, every routing header typed and read", message.Nanoseconds, "ns") { Reference = floor, Target = Target.AtMost(2_000) });
        bench.Add(new Row("sip.parse.bytes", "INVITE, allocated", message.Bytes, "B"));
        bench.Add(new Row("sip.parse_with_sdp", "INVITE and its SDP", whole.Nanoseconds, "ns") { Reference = floor });
        bench.Add(new Row("sip.parse_with_sdp.bytes", "INVITE and its SDP, allocated", whole.Bytes, "B"));
        bench.Add(new Row("sip.write_200", "200 OK with SDP", writing.Nanoseconds, "ns") { Detail = $"{Figure.Of(writing.Bytes)} B allocated" });
        return Task.CompletedTask;
    }

    /// <summary>What a callee reads of an INVITE: URI, From, To, both Vias with their parameters, Contact, Record-Route, Call-ID, CSeq.</summary>
    private static int Typed(byte[] bytes)
    {
        if (SipParser.ParseDatagram(bytes).Message is not SipRequest request) return 0;
        return request.Uri.Host.Length + request.From.Uri.UserText.Length + (request.From.Tag?.Length ?? 0) + request.To.Uri.Host.Length
            + (request.TopVia.Branch?.Length ?? 0) + request.Vias[1].Parameters.Count + request.Contacts[0].Uri.Port
            + request.RecordRoutes[0].Uri.Parameters.Count + request.CallId.Length + (int)request.CSeq.Number;
    }

    private static int Routed(byte[] bytes) => SipRoutingView.TryRead(bytes, out SipRoutingView view)
        ? view.Method.Length + view.UriHost.Length + view.CallId.Length + view.Branch.Length + (int)view.CSeq + view.FromTag.Length + view.ToTag.Length
        : 0;

    private static bool ParseWithOffer(byte[] bytes) =>
        SipParser.ParseDatagram(bytes).Message is SipRequest { Sdp: { } sdp } && SdpParser.Parse(sdp, out _) is { Media.Count: 1 };

    /// <summary>The least that any parser does: look at every byte once, as fast as the processor can.</summary>
    private static int Lines(ReadOnlySpan<byte> message)
    {
        var lines = 0;
        for (int at; (at = message.IndexOf("\r\n"u8)) >= 0; message = message[(at + 2)..]) lines++;
        return lines;
    }

    private static byte[] Ok(byte[] sdp) => SipWriter.Response(200, "OK")
        .Header("Via", "SIP/2.0/UDP 192.0.2.20:5060;branch=z9hG4bK4a21.8f3b7c55.0;received=192.0.2.20")
        .Header("Via", "SIP/2.0/UDP 192.0.2.10:5060;rport=5060;received=192.0.2.10;branch=z9hG4bK-524287-1---a3b1c2d3e4f5")
        .Header("Record-Route", "<sip:192.0.2.20;lr;ftag=7f3c11>")
        .Header("From", "<sip:905321112233@192.0.2.10>;tag=7f3c11")
        .Header("To", "<sip:902121234567@192.0.2.1>;tag=a81f3e")
        .Header("Call-ID", "5b1f7e3a-9c2d-4e11-8a77-0242ac120002@192.0.2.10")
        .Header("CSeq", "102 INVITE")
        .Header("Contact", "<sip:192.0.2.1:5060>")
        .End("application/sdp", sdp);
}
