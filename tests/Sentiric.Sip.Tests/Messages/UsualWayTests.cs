using System.Text;

namespace Sentiric.Sip.Tests.Messages;

/// <summary>What is read the short way because it is usual is read as the thorough way reads it.</summary>
public sealed class UsualWayTests
{
    private const int Rounds = 200_000;
    private static readonly string[] Pieces =
    [
        "sip:", "SIP:", "sips:", "tel:", "a", "905321112233", "host.example", "192.0.2.1", "[2001:db8::1]", "@", ":", "5060", "0", "65536", ";", "lr", "=", "transport=udp", "?", "x=y",
        "<", ">", "\"", ",", " ", "\t", "%20", "ü", "\u007f", "\0", "_", "-", "\\", "!", "a-name-so-long-that-it-goes-over-the-end-of-the-window-of-64-bytes",
    ];

    [Fact]
    public void A_usual_uri_has_the_same_parts_either_way()
    {
        var dice = new Random(41);
        int compared = 0;
        for (int round = 0; round < Rounds; round++)
        {
            byte[] uri = Made(dice);
            var scanner = new SipScanner(uri);
            if (SipUriShape.TryReadUsual(ref scanner, UriEnd.Text, out SipUriShape usual))
            {
                compared++;
                Assert.True(SipUriShape.TryRead(uri, out SipUriShape thorough), Encoding.UTF8.GetString(uri));
                Assert.Equal(thorough, usual);
            }
        }

        Assert.True(compared > 1_000, $"Only {compared} URIs were usual.");
    }

    [Theory]
    [InlineData(UriEnd.Bracket, ">")]
    [InlineData(UriEnd.Bare, ";,<>\" \t?")]
    internal void A_usual_uri_ends_where_the_thorough_way_ends_it(UriEnd ends, string stops)
    {
        var dice = new Random(42);
        byte[] stopBytes = Encoding.ASCII.GetBytes(stops);
        int compared = 0;
        for (int round = 0; round < Rounds; round++)
        {
            byte[] text = Made(dice);
            var scanner = new SipScanner(text);
            if (SipUriShape.TryReadUsual(ref scanner, ends, out SipUriShape usual))
            {
                compared++;
                int end = text.AsSpan().IndexOfAny(stopBytes);
                Assert.Equal(end < 0 ? text.Length : end, scanner.Position);
                Assert.True(SipUriShape.TryRead(text.AsSpan(0, scanner.Position), out SipUriShape thorough));
                Assert.Equal(thorough, usual);
            }
        }

        Assert.True(compared > 1_000, $"Only {compared} URIs were usual.");
    }

    [Fact]
    public void A_usual_sent_by_is_what_the_thorough_way_finds()
    {
        var dice = new Random(44);
        int compared = 0;
        for (int round = 0; round < Rounds; round++)
        {
            byte[] text = Made(dice);
            var scanner = new SipScanner(text);
            if (SipUriShape.TryReadUsualHostPort(ref scanner, out int hostEnd, out int port))
            {
                compared++;
                int end = text.AsSpan().IndexOfAny(";, \t"u8);
                ReadOnlySpan<byte> sentBy = end < 0 ? text : text.AsSpan(0, end);
                Assert.True(SipUriShape.TryHostPort(sentBy, out int length, out int expected, out int read), Encoding.UTF8.GetString(text));
                Assert.Equal((sentBy.Length, sentBy.Length, length, expected), (read, scanner.Position, hostEnd, port));
            }
            else
            {
                Assert.Equal(0, scanner.Position);
            }
        }

        Assert.True(compared > 1_000, $"Only {compared} were usual.");
    }

    [Trait("Category", "Slow")]
    [Fact]
    public void A_value_is_read_the_same_whatever_follows_it()
    {
        var dice = new Random(43);
        for (int round = 0; round < Rounds; round++)
        {
            byte[] value = [.. "\"A\" <"u8, .. Made(dice), .. ">;tag="u8, .. Made(dice)];
            byte[] message = [.. value, .. Made(dice), .. new byte[dice.Next(100)]];
            var alone = new SipScanner(value);
            var within = new SipScanner(message, new WirePart(0, value.Length));
            bool isRead = NameAddrShape.TryReadSingle(ref alone, out NameAddrShape expected);
            Assert.Equal(isRead, NameAddrShape.TryReadSingle(ref within, out NameAddrShape found));
            // Not by Assert.Equal, which looks at every member of two structs each time.
            if (isRead && !expected.Equals(found)) Assert.Fail($"{Encoding.UTF8.GetString(value)} is read otherwise within a message than alone.");
        }
    }

    [Fact]
    public void Every_mark_is_found_and_nothing_else()
    {
        var dice = new Random(44);
        for (int round = 0; round < 2_000; round++)
        {
            byte[] bytes = new byte[dice.Next(200)];
            dice.NextBytes(bytes);
            byte[] text = bytes[..dice.Next(bytes.Length + 1)];
            var alone = new SipMarks(text, text.Length);
            var within = new SipMarks(bytes.AsSpan(0, text.Length), bytes.Length);
            for (int from = 0; from <= text.Length; from++)
            {
                int expected = Array.FindIndex(text, Math.Min(from, text.Length), IsMark) is >= 0 and var at ? at : text.Length;
                Assert.Equal((expected, expected), (alone.Next(from), within.Next(from)));
            }
        }
    }

    private static bool IsMark(byte b) => b is <= 0x20 or 0x7F or (byte)'"' or (byte)',' or (>= (byte)':' and <= (byte)'@');

    private static byte[] Made(Random dice)
    {
        var text = new StringBuilder(dice.Next(4) == 0 ? "" : "sip:");
        for (int count = dice.Next(9); count > 0; count--)
        {
            text.Append(Pieces[dice.Next(Pieces.Length)]);
        }

        return Encoding.UTF8.GetBytes(text.ToString());
    }
}
