using System.Text;
using Sentiric.Sip;
using Sentiric.Sip.Tests.Locating;

namespace Sentiric.Sip.Tests.Transports;

/// <summary>RFC 6455 as bytes: frames, masks, closes, handshakes.</summary>
public sealed class WebSocketTalkTests
{
    [Theory]
    // 5.7: a masked "Hello", whole and in fragments with a ping among them.
    [InlineData("81 85 37fa213d 7f9f4d5158", "Message Hello")]
    [InlineData("01 83 37fa213d 7f9f4d 89 80 00000000 80 82 00000000 6c6f", "Answer 8a00|Message Hello")]
    [InlineData("89 85 37fa213d 7f9f4d5158", "Answer 8a0548656c6c6f")]
    [InlineData("8a 80 00000000", "Alive ")]
    [InlineData("82 80 00000000", "Message ")]
    // 5.1: a client must mask; 5.2: reserved bits, minimal lengths, known opcodes; 5.5: control frames short and whole.
    [InlineData("81 05 48656c6c6f", "Closed 880203ea")]
    [InlineData("c1 85 37fa213d 7f9f4d5158", "Closed 880203ea")]
    [InlineData("82 fe 007d 00000000", "Closed 880203ea")]
    [InlineData("82 ff 000000000000ffff 00000000", "Closed 880203ea")]
    [InlineData("82 ff 8000000000000000 00000000", "Closed 880203ea")]
    [InlineData("83 80 00000000", "Closed 880203ea")]
    [InlineData("89 fe", "Closed 880203ea")]
    [InlineData("09 80 00000000", "Closed 880203ea")]
    // 5.4: a continuation of nothing; a new message among fragments.
    [InlineData("80 80 00000000", "Closed 880203ea")]
    [InlineData("01 80 00000000 81 80 00000000", "Closed 880203ea")]
    // 8.1: text that is none; what is too large.
    [InlineData("81 82 00000000 c328", "Closed 880203ef")]
    [InlineData("82 ff 0000000000010000 00000000", "Closed 880203f1")]
    // 5.5.1 and 7.4: the code comes back when it may stand on the wire.
    [InlineData("88 80 00000000", "Closed 880203e8")]
    [InlineData("88 82 00000000 03e9", "Closed 880203e9")]
    [InlineData("88 82 00000000 03ed", "Closed 880203ea")]
    [InlineData("88 81 00000000 03", "Closed 880203ea")]
    [InlineData("88 82 00000000 0fa0", "Closed 88020fa0")]
    public void Frames_are_taken_as_rfc_6455_draws_them(string hex, string pieces)
    {
        byte[] bytes = DnsMessageTests.Bytes(hex);
        Assert.Equal(pieces, Pieces([bytes]));
        Assert.Equal(pieces, Pieces(bytes.Select(one => new[] { one })));
    }

    [Fact]
    public void Messages_leave_as_text_or_binary_with_the_shortest_length()
    {
        var talk = new WebSocketTalk();
        Assert.Equal("8105 48656c6c6f".Replace(" ", ""), Convert.ToHexStringLower(talk.Wrap("Hello"u8.ToArray()).Span));
        Assert.Equal("8201ff", Convert.ToHexStringLower(talk.Wrap(new byte[] { 0xff }).Span));
        Assert.Equal([0x81, 126, 0, 126], talk.Wrap(new byte[126]).Span[..4].ToArray());
        Assert.Equal([0x81, 126, 0xff, 0xff], talk.Wrap(new byte[65_535]).Span[..4].ToArray());
    }

    [Fact]
    public void Twisted_frames_never_throw_and_hold_no_more_than_a_message()
    {
        var dice = new Random(3);
        for (int i = 0; i < 5_000; i++)
        {
            var talk = new WebSocketTalk();
            byte[] bytes = new byte[dice.Next(1, 400)];
            dice.NextBytes(bytes);
            bytes[0] = (byte)(bytes[0] & 0x8F);
            talk.Append(bytes);
            int pieces = 0;
            for (StreamPiece piece = talk.Next(); piece.Kind is not (StreamPieceKind.Incomplete or StreamPieceKind.Closed); piece = talk.Next())
            {
                Assert.True(++pieces <= bytes.Length);
            }
        }
    }

    // 1.3: the sample key and its proof.
    private const string Sample = "GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
        + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: http://example.com\r\nSec-WebSocket-Protocol: xmpp, sip\r\nSec-WebSocket-Version: 13";

    [Fact]
    public void The_sample_handshake_gets_the_sample_proof()
    {
        string answer = Handshake("HTTP://EXAMPLE.com").Answer(Sample, out bool accepted);
        Assert.True(accepted);
        Assert.Contains("\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n", answer);
        Assert.Contains("\r\nSec-WebSocket-Protocol: sip\r\n", answer);
        Assert.EndsWith("\r\n\r\n", answer);
    }

    [Theory]
    [InlineData("GET /chat HTTP/1.1", "POST /chat HTTP/1.1", "400")]
    [InlineData("GET /chat HTTP/1.1", "GET /chat HTTP/1.0", "400")]
    [InlineData("Host: server.example.com\r\n", "", "400")]
    [InlineData("Upgrade: websocket", "Upgrade: h2c", "426")]
    [InlineData("Version: 13", "Version: 8", "426")]
    [InlineData("keep-alive, Upgrade", "close", "426")]
    [InlineData("dGhlIHNhbXBsZSBub25jZQ==", "dGhl", "400")]
    [InlineData("xmpp, sip", "xmpp", "400")]
    [InlineData("Origin: http://example.com", "Origin: http://example.com.evil", "403")]
    [InlineData("Origin: http://example.com", "Origin : http://example.com", "400")]
    public void A_handshake_that_breaks_a_rule_is_refused(string part, string instead, string status)
    {
        string answer = Handshake("http://example.com").Answer(Sample.Replace(part, instead), out bool accepted);
        Assert.False(accepted);
        Assert.StartsWith($"HTTP/1.1 {status} ", answer);
    }

    [Fact]
    public void Without_a_list_no_page_is_let_in_and_with_a_star_every_one()
    {
        Handshake().Answer(Sample, out bool accepted);
        Assert.False(accepted);
        Handshake("*").Answer(Sample, out accepted);
        Assert.True(accepted);
    }

    private static WebSocketHandshake Handshake(params string[] origins) => new(new SipWebSocketOptions { AllowedOrigins = origins });

    private static string Pieces(IEnumerable<byte[]> chunks)
    {
        var talk = new WebSocketTalk();
        var pieces = new List<string>();
        foreach (byte[] chunk in chunks)
        {
            talk.Append(chunk);
            for (StreamPiece piece = talk.Next(); piece.Kind != StreamPieceKind.Incomplete; piece = talk.Next())
            {
                pieces.Add(piece.Kind + " " + (piece.Kind == StreamPieceKind.Message ? Encoding.UTF8.GetString(piece.Bytes) : Convert.ToHexStringLower(piece.Bytes)));
                if (piece.Kind == StreamPieceKind.Closed)
                {
                    return string.Join('|', pieces);
                }
            }
        }

        return string.Join('|', pieces);
    }
}
