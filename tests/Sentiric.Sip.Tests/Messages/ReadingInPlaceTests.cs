using System.Text;
using Sentiric.Sip.Tests.Kit;

namespace Sentiric.Sip.Tests.Messages;

/// <summary>The quick ways through a message agree with the thorough one.</summary>
public sealed class ReadingInPlaceTests
{
    private const string Invite = "INVITE sip:9000@pbx.example:5060;transport=udp SIP/2.0\r\n"
        + "Via: SIP/2.0/UDP 192.0.2.1:5062;rport;branch=z9hG4bKabc, SIP/2.0/TCP 192.0.2.2;branch=z9hG4bKlower\r\n"
        + "From: \"a;tag=no\" <sip:905@x.example;tag=notthis>;x=1;TAG=77\r\nTo: <sip:9000@x.example>;tag=88\r\n"
        + "Call-ID: abc@x\r\nCSeq: 7 INVITE\r\nContent-Length: 0\r\n\r\n";

    [Fact]
    public void A_routing_view_names_what_the_parser_names()
    {
        Assert.True(SipRoutingView.TryRead(Encoding.ASCII.GetBytes(Invite), out SipRoutingView view));
        Assert.Equal("INVITE pbx.example abc@x z9hG4bKabc 7 77 88 0", Text(view));
        string ok = Invite.Replace("INVITE sip:9000@pbx.example:5060;transport=udp SIP/2.0", "SIP/2.0 200 OK");
        Assert.True(SipRoutingView.TryRead(Encoding.ASCII.GetBytes("\r\n\r\n" + ok), out view));
        Assert.Equal("INVITE  abc@x z9hG4bKabc 7 77 88 200", Text(view));
    }

    [Theory]
    [InlineData("Call-ID: abc@x\r\n", "")]
    [InlineData("CSeq: 7 INVITE", "CSeq: INVITE")]
    [InlineData("Via: SIP/2.0/UDP", "Via: SIP/3.0/UDP")]
    [InlineData("<sip:9000@x.example>;tag=88", "<sip:9000@x.example;tag=88")]
    [InlineData("sip:9000@pbx.example:5060", "sip:9000@:5060")]
    [InlineData("\r\nTo", "\nTo")]
    [InlineData("SIP/2.0\r\n", "SIP/2.0")]
    public void A_routing_view_of_a_message_that_cannot_be_routed_is_refused(string from, string to) =>
        Assert.False(SipRoutingView.TryRead(Encoding.ASCII.GetBytes(Invite.Replace(from, to)), out _));

    [Theory]
    [InlineData("Via: SIP/2.0/UDP a:1;branch=z9hG4bK1 \r\n")]
    [InlineData("Via: SIP/2.0/UDP a:1;branch=z9hG4bK1;x=\",\" , SIP/2.0/TCP b;y , SIP / 2.0 / TLS c:3\r\n")]
    [InlineData("Via: SIP/2.0/UDP a:1;branch=z9hG4bK1\r\nv:SIP/2.0/TCP b;y\r\nVIA: SIP/2.0/TLS c:3\r\n")]
    [InlineData("Via: SIP/2.0/UDP a:1;branch=z9hG4bK1,SIP/2.0/TCP b;y\r\nX: y\r\nv: SIP/2.0/TLS c:3\r\n")]
    [InlineData("Via: SIP/2.0/UDP a:1;branch=z9hG4bK1\r\n ,SIP/2.0/TCP b;y\r\nX: y\r\nv: SIP/2.0/TLS c:3\r\n")]
    public void Every_via_is_read_however_they_are_spread_over_lines(string lines)
    {
        string rest = Invite[Invite.IndexOf("From:", StringComparison.Ordinal)..];
        byte[] bytes = Encoding.ASCII.GetBytes("INVITE sip:9000@pbx.example SIP/2.0\r\n" + lines + rest);
        SipMessage first = SipParser.ParseDatagram(bytes).Message ?? throw new InvalidDataException(lines);
        SipMessage second = SipParser.ParseDatagram(bytes).Message ?? throw new InvalidDataException(lines);
        Assert.Equal("z9hG4bK1", second.TopVia.Branch);
        string[] wanted = lines.Contains("TLS", StringComparison.Ordinal) ? ["UDP a 1", "TCP b 0", "TLS c 3"] : ["UDP a 1"];
        Assert.Equal(wanted, first.Vias.Select(via => $"{via.Transport} {via.Host} {via.Port}"));
        Assert.Equal(wanted, second.Vias.Select(via => $"{via.Transport} {via.Host} {via.Port}"));
        Assert.Equal("a", first.TopVia.Host);
    }

    [Theory]
    [InlineData("", "")]
    [InlineData(";lr", "lr")]
    [InlineData(";a=1;b;c=3", "a=1 b c=3")]
    [InlineData(" ; a = 1 ;b ", "a=1 b")]
    [InlineData(";a=\";;\\\";\";b=2", "a=\";;\\\";\" b=2")]
    public void Every_parameter_is_read_once_whatever_a_quoted_one_holds(string written, string wanted)
    {
        string text = Invite.Replace(";tag=88", written, StringComparison.Ordinal);
        SipMessage message = SipParser.ParseDatagram(Encoding.ASCII.GetBytes(text)).Message ?? throw new InvalidDataException(written);
        Assert.Equal(wanted, Text(message.To.Parameters));
    }

    [Theory]
    [InlineData(";;lr;;ob=1;", "lr ob=1")]
    [InlineData(";", "")]
    public void An_empty_parameter_of_a_uri_is_passed_over(string written, string wanted) =>
        Assert.Equal(wanted, Text(SipUri.Parse("sip:a@b" + written).Parameters));

    private static string Text(IReadOnlyList<SipParameter> parameters) =>
        string.Join(' ', parameters.Select(one => one.Value is null ? one.Name : $"{one.Name}={one.Value}"));

    [Fact]
    public void Bytes_that_are_no_utf_8_are_read_as_the_framework_reads_them()
    {
        var dice = new Random(7);
        byte[] pieces = [0x00, 0x41, 0x7F, 0x80, 0xBF, 0xC0, 0xC1, 0xC2, 0xC5, 0x9F, 0xDF, 0xE0, 0xA0, 0xE2, 0x82, 0xAC, 0xED, 0xEF, 0xBB, 0xF0, 0x90, 0x8D, 0xF4, 0x8F, 0xF5, 0xFF];
        for (int round = 0; round < 50_000; round++)
        {
            byte[] bytes = new byte[dice.Next(12)];
            for (int i = 0; i < bytes.Length; i++)
            {
                bytes[i] = pieces[dice.Next(pieces.Length)];
            }

            Assert.Equal(Encoding.UTF8.GetString(bytes), WireText.Text(bytes));
        }
    }

    [Fact]
    public void A_routing_view_of_any_message_that_parses_agrees_with_the_parser()
    {
        var dice = new Random(20);
        byte[][] seeds = Seeds();
        int compared = 0;
        for (int round = 0; round < 20_000; round++)
        {
            byte[] bytes = Twisted.Copy(seeds[dice.Next(seeds.Length)], dice);
            if (!SipRoutingView.TryRead(bytes, out SipRoutingView view) || SipParser.ParseDatagram(bytes).Message is not { } message)
            {
                continue;
            }

            compared++;
            string host = message is SipRequest request ? request.Uri.Host : "";
            int status = (message as SipResponse)?.StatusCode ?? 0;
            Assert.Equal($"{message.CSeq.Method} {host} {message.CallId} {message.TopVia.Branch} {message.CSeq.Number} {message.From.Tag} {message.To.Tag} {status}", Text(view));
        }

        Assert.True(compared > 1_000, $"Only {compared} messages were readable.");
    }

    [Fact]
    public void A_plain_message_and_its_folded_twin_are_read_the_same()
    {
        var dice = new Random(21);
        foreach (byte[] seed in Seeds())
        {
            for (int round = 0; round < 200; round++)
            {
                byte[] bytes = Twisted.Copy(seed, dice);
                SipParseResult plain = SipParser.ParseDatagram(bytes), folded = SipParser.ParseDatagram(Folded(bytes));
                Assert.Equal(plain.Error?.Why, folded.Error?.Why);
                Assert.Equal(Parts(plain.Message), Parts(folded.Message));
            }
        }
    }

    [Fact]
    public void Every_header_name_is_known_by_its_name_in_any_case_and_by_its_compact_form()
    {
        foreach (SipHeaderId id in Enum.GetValues<SipHeaderId>().Where(id => id != SipHeaderId.Other))
        {
            string name = SipHeaderNames.Of(id);
            Assert.Equal(id, SipHeaderNames.Find(Encoding.ASCII.GetBytes(name)));
            Assert.Equal(id, SipHeaderNames.Find(Encoding.ASCII.GetBytes(name.ToUpperInvariant())));
            Assert.Equal(id, SipHeaderNames.Find(Encoding.ASCII.GetBytes(name.ToLowerInvariant())));
            Assert.Equal(SipHeaderId.Other, SipHeaderNames.Find(Encoding.ASCII.GetBytes(name[..^1] + "_")));
        }

        (string, SipHeaderId)[] compact =
        [
            ("v", SipHeaderId.Via), ("f", SipHeaderId.From), ("t", SipHeaderId.To), ("i", SipHeaderId.CallId), ("m", SipHeaderId.Contact),
            ("l", SipHeaderId.ContentLength), ("c", SipHeaderId.ContentType), ("k", SipHeaderId.Supported), ("s", SipHeaderId.Other),
        ];
        foreach (var (letter, id) in compact)
        {
            Assert.Equal(id, SipHeaderNames.Find(Encoding.ASCII.GetBytes(letter)));
            Assert.Equal(id, SipHeaderNames.Find(Encoding.ASCII.GetBytes(letter.ToUpperInvariant())));
        }
    }

    [Fact]
    public void A_header_beyond_the_middle_of_a_long_message_keeps_its_place()
    {
        string body = new('b', 60_000);
        byte[] bytes = Encoding.ASCII.GetBytes(Invite.Replace("Content-Length: 0\r\n\r\n", $"Subject: last\r\nContent-Length: {body.Length}\r\n\r\n{body}"));
        SipMessage? message = SipParser.ParseDatagram(bytes).Message;
        Assert.Equal((60_000, "last"), (message?.Body.Length, message?.Header("Subject")));
        byte[] longest = [.. bytes, .. new byte[SipLimits.MessageBytes - bytes.Length]];
        Assert.Equal(60_000, SipParser.ParseDatagram(longest).Message?.Body.Length);
    }

    private static byte[][] Seeds() => Directory.GetFiles(Sentiric.Testing.Repository.PathOf("tests", "Sentiric.Sip.Tests", "rfc4475"), "*.dat")
        .Order(StringComparer.Ordinal).Select(File.ReadAllBytes).Append(Encoding.ASCII.GetBytes(Invite)).ToArray();

    /// <summary>A folded header in front makes the parser go line by line.</summary>
    private static byte[] Folded(byte[] message)
    {
        int end = message.AsSpan().IndexOf("\r\n"u8);
        // A first line that begins with a space would be taken for more of the folded one.
        return end < 0 || (end + 2 < message.Length && message[end + 2] is (byte)' ' or (byte)'\t') ? message : [.. message[..end], .. "\r\nX-Folded: a\r\n b\r\n"u8, .. message[(end + 2)..]];
    }

    private static string Parts(SipMessage? message) => message is null ? "" : string.Join('\n',
        Enumerable.Range(0, message.Raw.HeaderCount)
            .Where(i => message.Raw.Name(i) != "X-Folded")
            .Select(i => $"{message.Raw.Id(i)} {message.Raw.Name(i)}: {Encoding.Latin1.GetString(message.Raw.Value(i))}")
            .Append(Encoding.Latin1.GetString(message.Body.Span)));

    private static string Text(SipRoutingView view) =>
        $"{Wire(view.Method)} {Wire(view.UriHost)} {Wire(view.CallId)} {Wire(view.Branch)} {view.CSeq} {Wire(view.FromTag)} {Wire(view.ToTag)} {view.StatusCode}";

    private static string Wire(ReadOnlySpan<byte> bytes) => Encoding.Latin1.GetString(bytes);
}
