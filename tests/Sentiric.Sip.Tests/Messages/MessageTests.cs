using System.Globalization;
using System.Net;
using System.Text;
using Sentiric.Sip.Tests.Kit;

namespace Sentiric.Sip.Tests.Messages;

public sealed class MessageTests
{
    private const string Invite = "INVITE sip:9000@10.0.0.1:5060;transport=udp SIP/2.0\r\n"
        + "v: SIP/2.0/UDP 192.0.2.1:5062;branch=z9hG4bKabc;rport\r\n"
        + "Max-Forwards: 70\r\nf: \"Ayşe \\\"A\\\" Yılmaz\" <sip:%2B905@x.example;user=phone>;tag=77;foo=\"a;b,c\"\r\nt: <sip:9000@x.example>\r\n"
        + "i: abc@x\r\nCSeq: 7 INVITE\r\nm: <sip:a@192.0.2.1:5062;x=%41>;expires=5\r\nX-Odd:  a  b ,c\r\nk: timer , 100rel\r\nc: Application/SDP;charset=utf-8\r\nl: 4\r\n\r\nv=0\n";

    [Fact]
    public void Compact_forms_and_typed_headers_are_read()
    {
        SipRequest request = Parse<SipRequest>(Invite);
        Assert.Equal("Ayşe \"A\" Yılmaz", request.From.Display);
        Assert.Equal("+905", request.From.Uri.UserText);
        Assert.Equal("77", request.From.Tag);
        Assert.Equal("\"a;b,c\"", request.From.Parameter("foo"));
        Assert.Equal("phone", request.From.Uri.Parameter("USER"));
        Assert.Equal("sip:9000@x.example", request.To.Uri.AddressOfRecord);
        Assert.Equal("a  b ,c", request.Header("x-odd"));
        Assert.Equal(["timer", "100rel"], request.Tokens("Supported"));
        Assert.Equal("v=0\n", request.Sdp);
        Assert.Equal(("192.0.2.1", 5062, "UDP", true), (request.TopVia.Host, request.TopVia.Port, request.TopVia.Transport, request.TopVia.WantsRport));
        Assert.Equal("udp", request.Uri.Parameter("transport"));
    }

    [Theory]
    [InlineData("sip:alice@[2001:db8::1]:5070;lr", "[2001:db8::1]", 5070)]
    [InlineData("SIP:Host.Example", "Host.Example", 0)]
    [InlineData("sips:a:secret@h_1.example?x=y", "h_1.example", 0)]
    public void Uris_are_taken_apart(string text, string host, int port)
    {
        SipUri uri = SipUri.Parse(text);
        Assert.Equal((host, port), (uri.Host, uri.Port));
        Assert.Equal(text, uri.ToString());
    }

    [Theory]
    [InlineData("sip:")]
    [InlineData("sip:@host")]
    [InlineData("sip:a@")]
    [InlineData("sip:a@host:99999")]
    [InlineData("sip:a@host:+1")]
    [InlineData("sip:a b@host")]
    [InlineData("sip:a@ho\rst")]
    [InlineData("sip:a@[::g]")]
    [InlineData("nothing")]
    public void Bad_uris_are_refused(string text) => Assert.False(SipUri.TryParse(text, out _));

    [Theory]
    [InlineData("a\r\nX-Evil: 1")]
    [InlineData("a\nX-Evil: 1")]
    [InlineData("a\rb")]
    [InlineData("a\0b")]
    public void Header_injection_is_refused(string value)
    {
        Assert.Throws<ArgumentException>(() => SipWriter.Response(200, "OK").Header("X-Note", value));
        Assert.Throws<ArgumentException>(() => SipWriter.Response(200, "OK").Header(value, "x"));
        Assert.Throws<ArgumentException>(() => SipWriter.Response(200, value));
        Assert.Throws<ArgumentException>(() => SipWriter.Request("INVITE", value));
        Assert.Throws<ArgumentException>(() => NameAddr.Create(value, SipUri.Parse("sip:h")));
        Assert.Throws<ArgumentException>(() => NameAddr.Create(null, SipUri.Parse("sip:h"), value));
    }

    [Fact]
    public async Task Header_injection_is_refused_where_a_call_is_placed_and_answered()
    {
        await using Stage stage = await Stage.OpenAsync();
        var invite = new OutgoingInvite
        {
            Target = SipUri.Parse("sip:a@resolved.later.example"),
            From = NameAddr.Create("x", SipUri.Parse("sip:b@h")),
            Offer = ScriptedPhone.Sdp,
        };
        await Assert.ThrowsAsync<ArgumentException>(() => stage.Endpoint.InviteAsync(invite with { CallId = "x\r\nX-Evil: 1" }));
        await Assert.ThrowsAsync<ArgumentException>(() => stage.Endpoint.InviteAsync(invite with { Headers = [new("X-Note", "x\r\nX-Evil: 1")] }));
        Assert.Equal(0, stage.Endpoint.Statistics.ClientTransactions);
        stage.Phone.Say(stage.Phone.Request("INVITE", "inject", "z9hG4bKi", 1, sdp: ScriptedPhone.Sdp));
        IncomingInvite incoming = await stage.Application.NextInviteAsync();
        await Assert.ThrowsAsync<ArgumentException>(() => incoming.RejectAsync(486, "Busy\r\nX-Evil: 1"));
        await Assert.ThrowsAsync<ArgumentException>(() => incoming.AnswerAsync(ScriptedPhone.Sdp, [new("X-Note", "a\nb")]));
        Assert.True(await incoming.RejectAsync(486));
        Assert.DoesNotContain(stage.Phone.Log, message => message.Header("X-Evil") is not null);
    }

    [Theory]
    [InlineData("Subject: a\nb\r\n")]
    [InlineData("Subject: a\rb\r\n")]
    [InlineData("No colon here\r\n")]
    [InlineData(": no name\r\n")]
    [InlineData("Bad name: x\r\n")]
    public void Broken_header_lines_give_400(string line) =>
        Assert.Equal(400, SipParser.ParseDatagram(Encoding.UTF8.GetBytes(Invite.Replace("X-Odd:  a  b ,c\r\n", line))).Error?.StatusCode);

    [Fact]
    public void Every_limit_is_a_refusal()
    {
        string many = string.Concat(Enumerable.Range(0, SipLimits.Headers).Select(i => $"X-{i}: 1\r\n"));
        Assert.Equal(400, Error(Invite.Replace("X-Odd:", many + "X-Odd:")));
        Assert.Equal(400, Error(Invite.Replace("X-Odd:", $"X-Odd: {new string('a', SipLimits.HeaderBytes)}")));
        Assert.Equal(414, Error(Invite.Replace("sip:9000", "sip:" + new string('9', SipLimits.HeaderBytes))));
        Assert.Equal(413, SipParser.ParseDatagram(new byte[SipLimits.MessageBytes + 1]).Error?.StatusCode);
    }

    [Fact]
    public void A_stream_beyond_the_limit_breaks_instead_of_growing()
    {
        var framer = new SipStreamFramer();
        SipFrame frame = default;
        for (int i = 0; i < 100 && frame.Kind == SipFrameKind.Incomplete; i++)
        {
            framer.Append(new byte[1024].AsSpan());
            frame = framer.Next();
        }

        Assert.Equal(SipFrameKind.Broken, frame.Kind);
        Assert.False(framer.HasPartial);
    }

    [Fact]
    public void Keep_alives_between_messages_are_pings_also_byte_by_byte()
    {
        string tcp = Invite.Replace("l: 4", "l : 4");
        var framer = new SipStreamFramer();
        var kinds = new List<SipFrameKind>();
        foreach (byte one in Encoding.UTF8.GetBytes("\r\n\r\n" + tcp + "\r\n" + tcp + "\r\n\r\n"))
        {
            framer.Append([one]);
            for (SipFrame frame = framer.Next(); frame.Kind != SipFrameKind.Incomplete; frame = framer.Next())
            {
                kinds.Add(frame.Kind);
            }
        }

        Assert.Equal([SipFrameKind.Ping, SipFrameKind.Message, SipFrameKind.Message, SipFrameKind.Ping], kinds);
    }

    [Fact]
    public void What_is_parsed_is_given_back_byte_for_byte()
    {
        byte[] bytes = Encoding.UTF8.GetBytes(Invite);
        Assert.Equal(bytes, Parse<SipRequest>(Invite).Raw.Wire.ToArray());
    }

    [Fact]
    public void Any_generated_message_survives_writing_and_reading()
    {
        var dice = new Random(4475);
        for (int round = 0; round < 2_000; round++)
        {
            string display = Word(dice, "abcçşığüö \"\\;,<>@%", 12), user = Word(dice, "abcışğ @:;?&=+$,/%", 10), header = Word(dice, "abc;,=\"ş <>", 30).Trim();
            var from = NameAddr.Create(display, SipUri.Create(user, "h.example", dice.Next(0, 65536)), "t" + round);
            byte[] written = SipWriter.Request("OPTIONS", "sip:h").WireHeader(SipHeaderId.Via, "SIP/2.0/UDP h;branch=z9hG4bK1")
                .WireHeader(SipHeaderId.From, from.Wire).WireHeader(SipHeaderId.To, "<sip:h>").Header("Call-ID", "c" + round).Header("CSeq", "1 OPTIONS")
                .Header("X-Any", header).End();
            SipRequest read = Assert.IsType<SipRequest>(SipParser.ParseDatagram(written).Message);
            Assert.Equal(display.Length == 0 ? null : display, read.From.Display);
            Assert.Equal(user.Length == 0 ? "" : user, read.From.Uri.UserText);
            Assert.Equal(header, read.Header("x-any"));
            Assert.Equal("t" + round, read.From.Tag);
        }
    }

    [Fact]
    public void No_mutation_makes_the_parser_throw()
    {
        var dice = new Random(3261);
        byte[][] seeds = Directory.GetFiles(Sentiric.Testing.Repository.PathOf("tests", "Sentiric.Sip.Tests", "rfc4475"), "*.dat")
            .Select(File.ReadAllBytes).Append(Encoding.UTF8.GetBytes(Invite)).ToArray();
        for (int round = 0; round < 20_000; round++)
        {
            byte[] bytes = Twisted.Copy(seeds[dice.Next(seeds.Length)], dice);
            SipParseResult result = SipParser.ParseDatagram(bytes);
            Assert.True(result.Message is null != result.Error is null);
            if (result.Error is { IsAnswerable: true, Raw: { } raw })
            {
                string refusal = Encoding.Latin1.GetString(ResponseDraft.Begin(raw, new IPEndPoint(IPAddress.Loopback, 5060), result.Error.StatusCode, null, "t").End());
                Assert.DoesNotContain(refusal.Split("\r\n"), line => line.AsSpan().IndexOfAny('\r', '\n') >= 0);
            }

            var framer = new SipStreamFramer();
            framer.Append(bytes);
            for (int i = 0; i < bytes.Length + 1 && framer.Next().Kind != SipFrameKind.Incomplete; i++)
            {
            }
        }
    }

    [Fact]
    public void Under_a_turkish_culture_the_wire_stays_the_same()
    {
        CultureInfo before = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = CultureInfo.CurrentUICulture = new CultureInfo("tr-TR");
            SipRequest request = Parse<SipRequest>(Invite.Replace("INVITE sip:9000", "INVITE SIP:9000").Replace("v: SIP", "VIA: SIP").Replace("i: abc", "CALL-ID: abc").Replace("l: 4", "CONTENT-LENGTH: 4"));
            Assert.Equal(("sip", "INVITE", "abc@x", "v=0\n"), (request.Uri.Scheme, request.Method, request.CallId, request.Sdp));
            Assert.True(request.TopVia.WantsRport);
            Assert.Equal("sip:i@ix.example", SipUri.Parse("SIP:i@IX.example").AddressOfRecord);
            string response = Encoding.UTF8.GetString(ResponseDraft.Begin(request.Raw, new IPEndPoint(IPAddress.Loopback, 1234), 486, null, "tag").Header("Retry-After", 1500).End());
            Assert.Contains("Retry-After: 1500\r\n", response, StringComparison.Ordinal);
            Assert.Contains("CALL-ID: abc@x\r\n", response, StringComparison.Ordinal);
            Assert.Contains("received=127.0.0.1;rport=1234", response, StringComparison.Ordinal);
        }
        finally
        {
            CultureInfo.CurrentCulture = CultureInfo.CurrentUICulture = before;
        }
    }

    private static int? Error(string text) => SipParser.ParseDatagram(Encoding.UTF8.GetBytes(text)).Error?.StatusCode;

    private static T Parse<T>(string text)
        where T : SipMessage => Assert.IsType<T>(SipParser.ParseDatagram(Encoding.UTF8.GetBytes(text)).Message);

    private static string Word(Random dice, string letters, int longest) =>
        new(Enumerable.Range(0, dice.Next(0, longest)).Select(_ => letters[dice.Next(letters.Length)]).ToArray());
}
