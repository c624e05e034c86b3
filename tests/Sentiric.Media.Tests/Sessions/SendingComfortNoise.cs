namespace Sentiric.Media.Tests;

public class SendingComfortNoise
{
    private static readonly MediaCapabilities Willing = MediaCapabilities.Default with { ComfortNoise = true };
    private static readonly SdpLocal Local = new(System.Net.IPAddress.Loopback, 4_000);

    [Fact]
    public void Silence_is_five_packets_a_second_and_the_next_sound_begins_a_talkspurt()
    {
        var leg = new VirtualLeg(audio: VirtualLeg.Audio() with { ComfortNoise = true });
        leg.Tick(50);
        Assert.Equal(Enumerable.Repeat((13, 1), 5), leg.SentRtp.Select(p => (leg.SentHeaders()[0].PayloadType, p.Length - RtpHeader.Size)));
        Assert.All(leg.SentRtp, p => Assert.Equal(65, p[^1]));
        var first = leg.SentHeaders();
        Assert.Equal(Enumerable.Repeat(1_600u, 4), first.Skip(1).Zip(first, (next, last) => next.Timestamp - last.Timestamp));
        Assert.All(first.Skip(1).Zip(first), pair => Assert.Equal((ushort)(pair.Second.Sequence + 1), pair.First.Sequence));

        leg.Leg.Playback.Open("a");
        leg.Leg.Playback.Enqueue("a", Tone.Sine(400, TimeSpan.FromMilliseconds(40)));
        leg.Leg.Playback.Complete("a");
        leg.Tick(3);
        var then = leg.SentHeaders()[5..];
        Assert.Equal([(8, true), (8, false), (13, false)], then.Select(h => (h.PayloadType, h.Marker)));
        Assert.Equal(50u * 160, then[0].Timestamp - first[0].Timestamp);
    }

    [Fact]
    public void Who_did_not_agree_to_it_hears_silent_frames()
    {
        var leg = new VirtualLeg();
        leg.Tick(50);
        Assert.Equal(50, leg.SentHeaders().Count(h => h.PayloadType == 8));
        Assert.Equal(50, leg.SentRtp.Count);
    }

    [Fact]
    public void The_other_end_makes_noise_of_it_and_no_hole()
    {
        var (ours, theirs) = (new VirtualLeg(audio: VirtualLeg.Audio() with { ComfortNoise = true }), new VirtualLeg());
        ours.Leg.Playback.Open("a");
        ours.Leg.Playback.Enqueue("a", Signals.Voice(TimeSpan.FromMilliseconds(400)));
        ours.Leg.Playback.Complete("a");
        for (var tick = 0; tick < 100; tick++)
        {
            var before = ours.SentRtp.Count;
            ours.Tick();
            foreach (var packet in ours.SentRtp[before..]) theirs.ReceiveBytes(packet);
            theirs.Tick();
        }
        var tail = theirs.Heard.ToArray()[^8_000..];
        Assert.InRange(Signals.Rms(tail), 5, 40); // -65 dBov is 18
        Assert.DoesNotContain(theirs.TakeEvents(), e => e is MediaEvent.NoRtpFor);
    }

    [Theory]
    [InlineData("8 13", "", true)]
    [InlineData("8 13", "a=rtpmap:13 CN/8000\r\n", true)]
    [InlineData("8 13", "a=rtpmap:13 something/8000\r\n", false)]
    [InlineData("8", "", false)]
    public void It_is_agreed_on_only_where_it_was_offered(string formats, string lines, bool agreed)
    {
        var offer = $"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP {formats}\r\n{lines}";
        var answer = SdpNegotiator.Answer(offer, Willing, Local);
        Assert.Equal(agreed, answer.Audio?.ComfortNoise);
        Assert.Equal(agreed, answer.Sdp?.Contains("a=rtpmap:13 CN/8000", StringComparison.Ordinal));
        Assert.False(SdpNegotiator.Answer(offer, MediaCapabilities.Default, Local).Audio?.ComfortNoise);
    }

    [Fact]
    public void Our_offer_names_it_when_it_is_wanted()
    {
        var offer = SdpNegotiator.Offer(Willing, Local);
        Assert.Matches(@"m=audio 4000 RTP/AVP 8 0 9 101 13\r\n", offer);
        Assert.True(SdpNegotiator.ReadAnswer(SdpNegotiator.Answer(offer, Willing, Local).Sdp ?? "", Willing).Audio?.ComfortNoise);
        Assert.False(SdpNegotiator.ReadAnswer(SdpNegotiator.Answer(offer, MediaCapabilities.Default, Local).Sdp ?? "", Willing).Audio?.ComfortNoise);
        Assert.DoesNotContain("CN/8000", SdpNegotiator.Offer(MediaCapabilities.Default, Local));
    }
}
