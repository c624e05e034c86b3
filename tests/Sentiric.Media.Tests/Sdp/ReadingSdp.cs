using System.Net;

namespace Sentiric.Media.Tests;

public class ReadingSdp
{
    [Fact]
    public void Bare_line_feeds_unknown_lines_and_missing_blanks_are_forgiven()
    {
        var document = SdpParser.Parse("v=0\no=x\nz=what\n\nnonsense\nc=IN IP4 192.0.2.10/127\nm=audio 4000/2 RTP/AVP 8 \na=ptime: 20\n", out var refusal);
        Assert.Null(refusal);
        Assert.Equal(("192.0.2.10", 4_000, "20"), (document?.Address, document?.Media[0].Port, document?.Media[0].Find("ptime")));
    }

    [Theory]
    [InlineData("")]
    [InlineData("m=audio 4000 RTP/AVP 8")]
    [InlineData("v=1\r\nm=audio 4000 RTP/AVP 8")]
    [InlineData("v=0\r\nm=audio")]
    [InlineData("v=0\r\nm=audio 99999 RTP/AVP 8")]
    [InlineData("v=0\r\nm=audio -5 RTP/AVP 8")]
    [InlineData("v=0\r\nc=IN IP4\r\nm=audio 4000 RTP/AVP 8")]
    public void What_cannot_be_used_is_refused_with_a_reason(string text)
    {
        Assert.Null(SdpParser.Parse(text, out var refusal));
        Assert.Equal("sdp.malformed", refusal?.Code);
        Assert.Equal("sdp.malformed", SdpNegotiator.Answer(text, MediaCapabilities.Default, new SdpLocal(IPAddress.Loopback, 4)).Refusal?.Code);
    }

    [Fact]
    public void Every_bound_is_kept()
    {
        Assert.Null(SdpParser.Parse("v=0\r\n" + new string('x', SdpParser.MaxLength), out _));
        Assert.Null(SdpParser.Parse("v=0\r\n" + string.Concat(Enumerable.Repeat("a=x\r\n", SdpParser.MaxLines)), out _));
        Assert.Null(SdpParser.Parse("v=0\r\n" + string.Concat(Enumerable.Repeat("m=audio 4 RTP/AVP 8\r\n", SdpParser.MaxMedia + 1)), out _));
        Assert.Null(SdpParser.Parse("v=0\r\nm=audio 4 RTP/AVP" + string.Concat(Enumerable.Repeat(" 8", SdpParser.MaxFormats + 1)), out _));
    }

    [Fact]
    public void Garbled_offers_are_refused_or_answered_but_never_thrown()
    {
        var offer = AnsweringAnOffer.Offer("m=audio 4000 RTP/AVP 8 101", "a=rtpmap:101 telephone-event/8000", "a=rtcp:5 IN IP4 192.0.2.10");
        var dice = new Random(4566);
        for (var round = 0; round < 3_000; round++)
        {
            var text = offer.ToCharArray();
            for (var hits = dice.Next(1, 9); hits > 0; hits--) text[dice.Next(text.Length)] = (char)dice.Next(0, 256);
            var outcome = SdpNegotiator.Answer(new string(text), MediaCapabilities.Default, new SdpLocal(IPAddress.Loopback, 4));
            Assert.True(outcome.Refusal is null != outcome.Sdp is null);
        }
    }
}
