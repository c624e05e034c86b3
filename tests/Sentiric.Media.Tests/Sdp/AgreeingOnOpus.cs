using System.Net;

namespace Sentiric.Media.Tests;

/// <summary>Opus in offer and answer (RFC 7587); nothing here needs the library.</summary>
public sealed class AgreeingOnOpus
{
    private static readonly SdpLocal Local = new(IPAddress.Parse("192.0.2.1"), 30_000, 7, 1);
    private static readonly MediaCapabilities Able = new([AudioCodec.Opus, AudioCodec.Pcma, AudioCodec.Pcmu]);

    [Fact]
    public void An_offer_of_Opus_is_answered_under_its_number_with_what_we_want_to_hear()
    {
        var outcome = Answer("m=audio 4000 RTP/AVP 96 8 97 98", "a=rtpmap:96 opus/48000/2", "a=rtpmap:97 telephone-event/8000", "a=rtpmap:98 telephone-event/48000",
            "a=fmtp:96 minptime=10; useinbandfec=1;x-new=ü;maxaveragebitrate=16000;;=;cbr");
        Assert.Equal("v=0\r\no=- 7 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 30000 RTP/AVP 96 98\r\n"
            + "a=rtpmap:96 opus/48000/2\r\na=fmtp:96 maxplaybackrate=8000;maxaveragebitrate=24000;stereo=0;useinbandfec=1\r\n"
            + "a=rtpmap:98 telephone-event/48000\r\na=fmtp:98 0-15\r\na=ptime:20\r\na=sendrecv\r\n", outcome.Sdp);
        Assert.Equal((AudioCodec.Opus, 96, 98, 48_000), (outcome.Audio?.Codec, outcome.Audio?.PayloadType, outcome.Audio?.TelephoneEventPayloadType, outcome.Audio?.TelephoneEventRate));
        Assert.Equal(new OpusFormat(16_000, InbandFec: true, ConstantBitrate: false), outcome.Audio?.Opus);
    }

    [Theory]
    [InlineData("8 96", "a=rtpmap:96 opus/48000/2", AudioCodec.Pcma)]    // the offerer's order rules
    [InlineData("96 8", "a=rtpmap:96 OPUS/48000/2", AudioCodec.Opus)]
    [InlineData("96 8", "a=rtpmap:96 opus/48000", AudioCodec.Pcma)]      // RFC 7587 7: always two channels
    [InlineData("96 8", "a=rtpmap:96 opus/16000/2", AudioCodec.Pcma)]
    [InlineData("111 8", "", AudioCodec.Pcma)]                           // a dynamic number means nothing by itself
    public void Which_codec_an_offer_gets(string formats, string line, AudioCodec codec) => Assert.Equal(codec, Answer($"m=audio 4000 RTP/AVP {formats}", line).Audio?.Codec);

    [Fact]
    public void Telephone_events_of_8_kHz_have_to_do_where_nothing_else_is_offered_and_never_follow_another_codecs_clock()
    {
        var usual = Answer("m=audio 4000 RTP/AVP 96 101", "a=rtpmap:96 opus/48000/2", "a=rtpmap:101 telephone-event/8000");
        Assert.Equal((101, 8_000), (usual.Audio?.TelephoneEventPayloadType, usual.Audio?.TelephoneEventRate));
        Assert.Contains("a=rtpmap:101 telephone-event/8000\r\n", usual.Sdp, StringComparison.Ordinal);
        var other = Answer("m=audio 4000 RTP/AVP 8 101", "a=rtpmap:101 telephone-event/48000");
        Assert.Null(other.Audio?.TelephoneEventPayloadType);
    }

    [Fact]
    public void No_comfort_noise_beside_Opus() => Assert.False(SdpNegotiator.Answer(
        Offer("m=audio 4000 RTP/AVP 96 13", "a=rtpmap:96 opus/48000/2"), Able with { ComfortNoise = true }, Local).Audio?.ComfortNoise);

    [Theory]
    [InlineData(null, 24_000, false, false)]
    [InlineData("maxaveragebitrate=510000", 24_000, false, false)]  // we never send more than it is worth
    [InlineData("maxaveragebitrate=1", 6_000, false, false)]
    [InlineData("MaxAverageBitrate=12000;UseInbandFec=1", 12_000, true, false)]
    [InlineData("useinbandfec=1;useinbandfec=0", 24_000, false, false)]
    [InlineData("maxaveragebitrate=-5;cbr=1", 24_000, false, true)]
    [InlineData("maxaveragebitrate=99999999999999999999", 24_000, false, false)]
    [InlineData("stereo=1;sprop-stereo=1;usedtx=1;a=b=c;0;===", 24_000, false, false)]
    public void What_a_listener_asks_for(string? parameters, int bitrate, bool fec, bool constant) =>
        Assert.Equal(new OpusFormat(bitrate, fec, constant), OpusFormat.Parse(parameters));

    [Fact]
    public void Our_offer_names_Opus_and_events_of_both_clocks_and_is_understood_by_ourselves()
    {
        var offer = SdpNegotiator.Offer(Able, Local);
        Assert.Contains("m=audio 30000 RTP/AVP 111 8 0 101 110\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 ", offer, StringComparison.Ordinal);
        Assert.Contains("a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=rtpmap:110 telephone-event/48000\r\na=fmtp:110 0-15\r\n", offer, StringComparison.Ordinal);
        var answer = SdpNegotiator.Answer(offer, Able, Local with { RtpPort = 40_000 });
        var read = SdpNegotiator.ReadAnswer(answer.Sdp ?? "", Able).Audio;
        Assert.Equal((AudioCodec.Opus, 111, 110, 48_000), (read?.Codec, read?.PayloadType, read?.TelephoneEventPayloadType, read?.TelephoneEventRate));
        Assert.True(read?.Opus?.InbandFec);
        Assert.Equal(AudioCodec.Pcma, SdpNegotiator.Answer(offer, MediaCapabilities.Default, Local).Audio?.Codec);
    }

    [Fact]
    public void A_later_offer_of_ours_keeps_the_numbers_that_were_agreed_on_and_takes_none_twice()
    {
        var agreed = Answer("m=audio 4000 RTP/AVP 101 111", "a=rtpmap:101 opus/48000/2", "a=rtpmap:111 telephone-event/8000").Audio;
        var offer = SdpNegotiator.Offer(Able, Local, agreed);
        Assert.Contains("m=audio 30000 RTP/AVP 101 8 0 111 110\r\n", offer, StringComparison.Ordinal);
        Assert.Contains("a=rtpmap:101 opus/48000/2\r\n", offer, StringComparison.Ordinal);
        Assert.Contains("a=rtpmap:111 telephone-event/8000\r\n", offer, StringComparison.Ordinal);
        var other = Answer("m=audio 4000 RTP/AVP 8 111", "a=rtpmap:111 telephone-event/8000").Audio;
        Assert.Contains("m=audio 30000 RTP/AVP 96 8 0 111 110\r\n", SdpNegotiator.Offer(Able, Local, other), StringComparison.Ordinal);
    }

    [Fact]
    public void Without_the_library_Opus_is_no_capability()
    {
        Assert.Equal([AudioCodec.Pcma, AudioCodec.Pcmu], Able.Present(opus: false).Codecs);
        Assert.Same(Able, Able.Present(opus: true));
        Assert.Same(MediaCapabilities.Default, MediaCapabilities.Default.Present(opus: false));
        Assert.DoesNotContain("opus", SdpNegotiator.Offer(Able.Present(opus: false), Local), StringComparison.Ordinal);
        Assert.Equal(MediaRefusal.NothingInCommon, SdpNegotiator.Answer(Offer("m=audio 4000 RTP/AVP 96", "a=rtpmap:96 opus/48000/2"), Able.Present(opus: false), Local).Refusal?.Code);
    }

    private static SdpOutcome Answer(string media, params string[] lines) => SdpNegotiator.Answer(Offer(media, lines), Able, Local);

    private static string Offer(string media, params string[] lines) => string.Join(
        "\r\n", ["v=0", "o=- 1 1 IN IP4 192.0.2.10", "s=-", "c=IN IP4 192.0.2.10", "t=0 0", media, .. lines.Where(l => l.Length > 0), ""]);
}
