using System.Net;

namespace Sentiric.Media.Tests;

public class AnsweringAnOffer
{
    private static readonly SdpLocal Local = new(IPAddress.Parse("192.0.2.1"), 30_000, 7, 1);

    [Fact]
    public void D7_the_answer_is_a_subset_of_the_offer()
    {
        var outcome = Answer(Offer("m=audio 4000 RTP/AVP 18 8 0 101", "a=rtpmap:101 telephone-event/8000"));
        Assert.Equal("v=0\r\no=- 7 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 30000 RTP/AVP 8 101\r\n"
            + "a=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n", outcome.Sdp);
        Assert.Equal("192.0.2.10:4000", outcome.Audio?.Remote.ToString());
        Assert.Equal("192.0.2.10:4001", outcome.Audio?.RemoteRtcp.ToString());
    }

    [Theory]
    [InlineData("m=audio 4000 RTP/AVP 18 97", "a=rtpmap:97 opus/48000/2")]
    [InlineData("m=audio 0 RTP/AVP 8", "")]
    [InlineData("m=video 4000 RTP/AVP 8", "")]
    [InlineData("m=audio 4000 RTP/SAVP 8", "")]
    [InlineData("m=audio 4000 RTP/AVP 8", "c=IN IP6 2001:db8::1")]
    [InlineData("m=audio 4000 RTP/AVP 8", "c=IN IP4 phone.example.com")]
    [InlineData("m=audio 4000 RTP/AVP 8", "a=rtpmap:8 G729/8000")]
    public void D7_no_common_codec_gives_a_refusal(string media, string line) =>
        Assert.Equal(MediaRefusal.NothingInCommon, Answer(Offer(media, line)).Refusal?.Code);

    [Theory]
    [InlineData("0 8", AudioCodec.Pcmu, 0)]
    [InlineData("8 0", AudioCodec.Pcma, 8)]
    [InlineData("18 8 0 101", AudioCodec.Pcma, 8)]
    public void Static_payload_types_need_no_rtpmap_and_the_offers_order_rules(string formats, AudioCodec codec, int payloadType)
    {
        var audio = Answer(Offer($"m=audio 4000 RTP/AVP {formats}")).Audio;
        Assert.Equal((codec, payloadType), (audio?.Codec, audio?.PayloadType));
        Assert.Null(audio?.TelephoneEventPayloadType);
    }

    [Fact]
    public void A_dynamic_number_for_G711_is_understood()
    {
        var audio = Answer(Offer("m=audio 4000 RTP/AVP 96 97", "a=rtpmap:96 opus/48000/2", "a=rtpmap:97 pcmu/8000/1")).Audio;
        Assert.Equal((AudioCodec.Pcmu, 97), (audio?.Codec, audio?.PayloadType));
    }

    [Theory]
    [InlineData(96)]
    [InlineData(127)]
    public void D8_telephone_event_is_answered_with_the_offered_payload_type(int payloadType)
    {
        var outcome = Answer(Offer(
            $"m=audio 4000 RTP/AVP 8 99 {payloadType}", "a=rtpmap:99 telephone-event/48000", $"a=rtpmap:{payloadType} telephone-event/8000"));
        Assert.Equal(payloadType, outcome.Audio?.TelephoneEventPayloadType);
        Assert.Contains($"m=audio 30000 RTP/AVP 8 {payloadType}\r\n", outcome.Sdp);
    }

    [Fact]
    public void D8_telephone_event_is_not_answered_when_not_offered_or_not_wanted()
    {
        Assert.DoesNotContain("telephone-event", Answer(Offer("m=audio 4000 RTP/AVP 8")).Sdp);
        var without = MediaCapabilities.Default with { TelephoneEvent = false };
        var offer = Offer("m=audio 4000 RTP/AVP 8 101", "a=rtpmap:101 telephone-event/8000");
        Assert.DoesNotContain("telephone-event", SdpNegotiator.Answer(offer, without, Local).Sdp);
    }

    [Theory]
    [InlineData("a=sendonly", MediaDirection.RecvOnly)]
    [InlineData("a=recvonly", MediaDirection.SendOnly)]
    [InlineData("a=inactive", MediaDirection.Inactive)]
    [InlineData("a=sendrecv", MediaDirection.SendRecv)]
    [InlineData("c=IN IP4 0.0.0.0", MediaDirection.RecvOnly)]
    public void D9_hold_is_answered_as_RFC_3264_says(string line, MediaDirection ours)
    {
        var outcome = Answer(Offer("m=audio 4000 RTP/AVP 8", line));
        Assert.Equal(ours, outcome.Audio?.Direction);
        Assert.Contains($"a={ours.AttributeName()}\r\n", outcome.Sdp);
    }

    [Fact]
    public void A_direction_of_the_session_holds_for_its_streams()
    {
        var offer = Offer("m=audio 4000 RTP/AVP 8").Replace("m=audio", "a=inactive\r\nm=audio");
        Assert.Equal(MediaDirection.Inactive, Answer(offer).Audio?.Direction);
    }

    [Fact]
    public void Other_streams_are_refused_with_port_0_in_their_place()
    {
        var outcome = Answer(Offer("m=audio 5000 RTP/SAVP 8", "m=audio 4000 RTP/AVP 8", "m=video 4002 RTP/AVP 96 97"));
        Assert.Contains("m=audio 0 RTP/SAVP 8\r\nm=audio 30000 RTP/AVP 8\r\n", outcome.Sdp);
        Assert.EndsWith("m=video 0 RTP/AVP 96 97\r\n", outcome.Sdp);
        Assert.Equal(4_000, outcome.Audio?.Remote.Port);
    }

    [Fact]
    public void Mid_and_rtcp_mux_come_back_and_rtcp_goes_where_the_offer_says()
    {
        var muxed = Answer(Offer("m=audio 4000 RTP/AVP 8", "a=mid:one", "a=rtcp-mux"));
        Assert.Contains("a=mid:one\r\na=rtcp-mux\r\n", muxed.Sdp);
        Assert.Equal((true, 4_000), (muxed.Audio?.RtcpMux, muxed.Audio?.RemoteRtcp.Port));
        Assert.Equal(5_555, Answer(Offer("m=audio 4000 RTP/AVP 8", "a=rtcp:5555 IN IP4 192.0.2.10")).Audio?.RemoteRtcp.Port);
    }

    [Fact]
    public void Our_own_offer_is_answered_and_the_answer_read()
    {
        var offer = SdpNegotiator.Offer(MediaCapabilities.Default, Local);
        var answer = SdpNegotiator.Answer(offer, MediaCapabilities.Default, new SdpLocal(IPAddress.Parse("192.0.2.2"), 40_000));
        var read = SdpNegotiator.ReadAnswer(answer.Sdp ?? "", MediaCapabilities.Default);
        Assert.Equal((AudioCodec.Pcma, 8, 101), (read.Audio?.Codec, read.Audio?.PayloadType, read.Audio?.TelephoneEventPayloadType));
        Assert.Equal("192.0.2.2:40000", read.Audio?.Remote.ToString());
        Assert.True(read.Audio?.RtcpMux);
    }

    [Theory]
    [InlineData("m=audio 0 RTP/AVP 8")]
    [InlineData("m=audio 4000 RTP/AVP 18")]
    public void An_answer_that_takes_nothing_is_refused(string media) =>
        Assert.Equal(MediaRefusal.NothingInCommon, SdpNegotiator.ReadAnswer(Offer(media), MediaCapabilities.Default).Refusal?.Code);

    private static SdpOutcome Answer(string offer) => SdpNegotiator.Answer(offer, MediaCapabilities.Default, Local);

    internal static string Offer(params string[] lines) =>
        "v=0\r\no=- 1 1 IN IP4 192.0.2.10\r\ns=call\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\n"
        + string.Concat(lines.Where(l => l.Length > 0).Select(l => l + "\r\n"));
}
