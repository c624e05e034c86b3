using System.Net;
using Sentiric.Testing;

namespace Sentiric.Media.Tests;

public class ALegOnVirtualTime
{
    [Fact]
    public void D14_twenty_seconds_of_TTS_delivered_in_one_second_play_completely()
    {
        var leg = new VirtualLeg();
        var speech = Signals.Voice(TimeSpan.FromSeconds(20));
        var finished = leg.Leg.Playback.Open("answer");
        for (var second = 0; second < 50; second++)
        {
            Assert.True(leg.Leg.Playback.Enqueue("answer", speech.AsMemory(second * 3_200, 3_200)));
            leg.Tick();
        }
        leg.Leg.Playback.Complete("answer");
        leg.Tick(1_000);
        Assert.Equal(new PlaybackResult("answer", false, 20_000, 20_000), finished?.Result);
        Assert.Equal(1_050, leg.SentRtp.Count);
        var expected = speech.Select(VirtualLeg.Through).ToArray();
        Assert.Equal(expected, leg.SentPcm()[..expected.Length]);
    }

    [Fact]
    public void D15_clear_stops_audio_within_40_ms_and_says_what_was_heard()
    {
        var leg = new VirtualLeg();
        leg.Leg.Playback.Open("answer");
        leg.Leg.Playback.Enqueue("answer", Tone.Sine(440, TimeSpan.FromSeconds(5)));
        leg.Tick(50);
        Assert.Equal(new PlaybackResult("answer", true, 1_000, 5_000), Assert.Single(leg.Leg.Playback.Clear()));
        leg.Tick(10);
        var sent = leg.SentPcm();
        Assert.True(Signals.Rms(sent.AsSpan(49 * 160, 160)) > 5_000);
        Assert.All(sent[(50 * 160)..], s => Assert.Equal(VirtualLeg.Through(0), s));
    }

    [Fact]
    public void D16_RTCP_on_the_RTP_port_never_reaches_the_decoder_nor_the_lock()
    {
        var leg = new VirtualLeg();
        var report = new byte[Rtcp.MaxReportSize];
        var length = Rtcp.WriteReport(report, VirtualLeg.RemoteSsrc, 1, 0, 1, 160, null, "peer"u8, bye: false);
        for (var i = 0; i < 20; i++)
        {
            leg.ReceiveBytes(report.AsSpan(0, length));
            leg.ReceiveBytes(report.AsSpan(0, length), VirtualLeg.Stranger);
            leg.ReceiveAudio(i, 9_000, onRtcpPort: true);
            leg.Tick();
        }
        Assert.Equal((0L, (uint?)null), (leg.Leg.Quality().Received, leg.Leg.RemoteSsrc));
        Assert.All(leg.Heard, s => Assert.Equal(0, s));
        Assert.DoesNotContain(leg.TakeEvents(), e => e is MediaEvent.SourceFound);
    }

    [Fact]
    public void D17_reordered_lost_duplicate_and_late_packets_are_counted_and_the_timeline_kept()
    {
        var leg = new VirtualLeg();
        // per tick: 3 lost, 6 and 5 swapped, 8 twice, 12 comes six ticks late
        int[][] arrivals =
            [[0], [1], [2], [], [4], [6], [5], [7], [8, 8], [9], [10], [11], [], [13], [14], [15], [16], [17], [18, 12], [19]];
        foreach (var tick in arrivals)
        {
            foreach (var n in tick) leg.ReceiveAudio(n, (short)(1_000 + 500 * n));
            leg.Tick();
        }
        leg.Tick(10);
        var quality = leg.Leg.Quality();
        Assert.Equal((19, 1, 1, 1, 2), (quality.Received, quality.Lost, quality.Duplicates, quality.Late, quality.Reordered));
        int[] expected = [.. Enumerable.Range(0, 20).Except([3, 12])];
        Assert.Equal(expected, InTheMiddleOfFrames(leg.Heard).Where(n => n >= 0));
    }

    [Fact]
    public void D18_a_packet_from_a_foreign_address_after_the_source_lock_is_ignored()
    {
        var leg = new VirtualLeg();
        for (var n = 0; n < 50; n++)
        {
            leg.ReceiveAudio(n, 1_000);
            if (n > 3) leg.ReceiveAudio(n, -20_000, VirtualLeg.Stranger);
            leg.Tick();
        }
        Assert.Equal((46L, 50L), (leg.Leg.Quality().Foreign, leg.Leg.Quality().Received));
        Assert.DoesNotContain(leg.Heard, s => s < -1_100);
    }

    [Fact]
    public void D19_no_RTP_for_N_seconds_is_told_once_until_it_returns()
    {
        var leg = new VirtualLeg(new MediaLegOptions { NoRtpAfter = TimeSpan.FromSeconds(10) });
        leg.ReceiveAudio(0, 0);
        leg.Tick(499);
        Assert.DoesNotContain(leg.TakeEvents(), e => e is MediaEvent.NoRtpFor);
        leg.Tick(600);
        Assert.Equal(TimeSpan.FromSeconds(10), Assert.Single(leg.TakeEvents().OfType<MediaEvent.NoRtpFor>()).Silence);
        leg.ReceiveAudio(1, 0);
        leg.Tick(500);
        Assert.Single(leg.TakeEvents().OfType<MediaEvent.NoRtpFor>());
    }

    [Fact]
    public void D19_a_call_on_hold_may_be_silent()
    {
        var leg = new VirtualLeg(new MediaLegOptions { NoRtpAfter = TimeSpan.FromSeconds(2) }, VirtualLeg.Audio(MediaDirection.SendOnly));
        leg.Tick(1_000);
        Assert.DoesNotContain(leg.TakeEvents(), e => e is MediaEvent.NoRtpFor);
        leg.Leg.Connect(VirtualLeg.Audio(), leg.NowUs);
        leg.Tick(99);
        Assert.DoesNotContain(leg.TakeEvents(), e => e is MediaEvent.NoRtpFor);
        leg.Tick();
        Assert.Single(leg.TakeEvents().OfType<MediaEvent.NoRtpFor>());
    }

    [Fact]
    public void D20_the_RTP_timestamp_follows_the_clock_after_a_stall()
    {
        var leg = new VirtualLeg();
        leg.Tick(10);
        leg.Stall(500);
        leg.Tick(10);
        var headers = leg.SentHeaders();
        Assert.Equal(20, headers.Count);
        Assert.Equal((uint)(501 * 160), headers[10].Timestamp - headers[9].Timestamp);
        Assert.Equal(1, (ushort)(headers[10].Sequence - headers[9].Sequence));
        Assert.Equal([true, true], new[] { headers[0].Marker, headers[10].Marker });
        Assert.Equal(520, leg.Leg.Ticks);
    }

    [Fact]
    public void D20_a_backlog_is_sent_and_only_the_surplus_is_given_up()
    {
        const long tick = 20_000_000;
        Assert.Equal((1, 0, false), Pacing.Due(tick, tick + 1_000));
        Assert.Equal((1, 0, true), Pacing.Due(tick, tick + 6_000_000));
        Assert.Equal((6, 0, true), Pacing.Due(tick, tick + 5 * tick));
        Assert.Equal((Pacing.MaxBacklogTicks, 976, true), Pacing.Due(tick, tick + 1_000 * tick));
    }

    [Fact]
    public void D22_a_stray_payload_type_does_not_switch_the_encoder()
    {
        var leg = new VirtualLeg();
        for (var n = 0; n < 20; n++)
        {
            leg.ReceiveAudio(n, 5_000, payloadType: n % 2 == 0 ? 0 : 18);
            leg.Tick();
        }
        Assert.All(leg.SentHeaders(), h => Assert.Equal(8, h.PayloadType));
        Assert.All(leg.Heard, s => Assert.Equal(0, s));
        Assert.Equal(20, leg.Leg.Quality().StrayPayload);
    }

    [Fact]
    public void Comfort_noise_packets_are_neither_heard_nor_lost()
    {
        var leg = new VirtualLeg();
        for (var n = 0; n < 40; n++)
        {
            leg.ReceiveAudio(n, 1_000, payloadType: n is > 10 and < 20 ? 13 : 8);
            leg.Tick();
        }
        Assert.Equal((0L, 9L), (leg.Leg.Quality().Lost, leg.Leg.Quality().StrayPayload));
    }

    [Fact]
    public void Silence_is_sent_while_there_is_nothing_to_say_or_nothing_when_so_wished()
    {
        var leg = new VirtualLeg();
        leg.Tick(5);
        Assert.All(leg.SentRtp, p => Assert.All(p[RtpHeader.Size..], b => Assert.Equal(0xD5, b)));
        var quiet = new VirtualLeg(new MediaLegOptions { Idle = IdleSend.Nothing });
        quiet.Tick(5);
        quiet.Leg.Playback.Open("a");
        quiet.Leg.Playback.Enqueue("a", new short[320]);
        quiet.Tick(5);
        Assert.Equal(5, leg.SentRtp.Count);
        Assert.Equal([true, false], quiet.SentHeaders().Select(h => h.Marker));
    }

    [Fact]
    public void Sequence_and_timestamp_rise_by_one_frame_across_their_wrap()
    {
        var leg = new VirtualLeg();
        leg.Tick(100);
        var headers = leg.SentHeaders();
        for (var i = 1; i < headers.Count; i++)
        {
            Assert.Equal((1, 160u), ((ushort)(headers[i].Sequence - headers[i - 1].Sequence), headers[i].Timestamp - headers[i - 1].Timestamp));
        }
    }

    [Fact]
    public void D9_on_hold_nothing_is_sent_playback_waits_and_the_lock_stays()
    {
        var leg = new VirtualLeg();
        for (var n = 0; n < 5; n++) leg.ReceiveAudio(n, 0);
        leg.Leg.Playback.Open("a");
        leg.Leg.Playback.Enqueue("a", new short[1_600]);
        leg.Leg.Connect(VirtualLeg.Audio(MediaDirection.RecvOnly, "0.0.0.0"), leg.NowUs);
        leg.Tick(50);
        Assert.Empty(leg.SentRtp);
        Assert.Equal(200, leg.Leg.Playback.Where().WaitingMs);
        leg.Leg.Connect(VirtualLeg.Audio(), leg.NowUs);
        leg.ReceiveAudio(5, 0, VirtualLeg.Stranger);
        leg.Tick(10);
        Assert.Equal(10, leg.SentRtp.Count);
        Assert.Equal(1, leg.Leg.Quality().Foreign);
    }

    [Fact]
    public void A_reinvite_that_moves_the_media_is_followed()
    {
        var leg = new VirtualLeg();
        for (var n = 0; n < 5; n++) leg.ReceiveAudio(n, 1_000);
        var moved = UdpAddress.From(new IPEndPoint(IPAddress.Parse("192.0.2.99"), 7_000));
        leg.Leg.Connect(VirtualLeg.Audio(address: "192.0.2.99", port: 7_000), leg.NowUs);
        for (var n = 0; n < 10; n++)
        {
            leg.ReceiveAudio(40_000 + n, 8_000, moved, ssrc: 5);
            leg.ReceiveAudio(5 + n, 1_000);
            leg.Tick();
        }
        Assert.Equal((uint?)5, leg.Leg.RemoteSsrc);
        Assert.Equal(VirtualLeg.Through(8_000), leg.Heard[^1]);
    }

    [Fact]
    public void A_reinvite_may_change_the_codec()
    {
        var leg = new VirtualLeg();
        leg.Tick(3);
        leg.Leg.Connect(VirtualLeg.Audio() with { Codec = AudioCodec.Pcmu, PayloadType = 0 }, leg.NowUs);
        leg.Tick(3);
        Assert.Equal([8, 8, 8, 0, 0, 0], leg.SentHeaders().Select(h => h.PayloadType));
        Assert.All(leg.SentRtp[^1][RtpHeader.Size..], b => Assert.Equal(0xFF, b));
    }

    [Fact]
    public void D43_the_stream_of_an_earlier_call_is_not_heard_in_the_next_one()
    {
        var leg = new VirtualLeg(staleSsrc: 0xDEAD);
        for (var n = 0; n < 50; n++)
        {
            leg.ReceiveAudio(n, 9_000, VirtualLeg.Stranger, ssrc: 0xDEAD);
            leg.Tick();
        }
        Assert.All(leg.Heard, s => Assert.Equal(0, s));
        Assert.Equal(0, leg.Leg.Quality().Received);
    }

    [Fact]
    public void Quality_is_measured_every_five_seconds_and_loss_costs_opinion()
    {
        var (clean, lossy) = (new VirtualLeg(), new VirtualLeg());
        for (var n = 0; n < 500; n++)
        {
            clean.ReceiveAudio(n, 1_000);
            if (n % 20 != 5) lossy.ReceiveAudio(n, 1_000);
            clean.Tick();
            lossy.Tick();
        }
        var measured = clean.TakeEvents().OfType<MediaEvent.QualityMeasured>().ToList();
        Assert.Equal(2, measured.Count);
        var quality = measured[1].Quality;
        Assert.Equal((500L, 500L, 0L, 20.0), (quality.Sent, quality.Received, quality.Lost, quality.MaxGapMs));
        Assert.True(quality.Mos >= 4.3, $"{quality.Mos}");
        Assert.InRange(lossy.Leg.Quality().Mos, 3.4, 4.2);
        Assert.Equal(25, lossy.Leg.Quality().Lost);
    }

    [Fact]
    public void A_call_in_which_nothing_arrives_is_not_called_good()
    {
        var leg = new VirtualLeg();
        leg.Tick(300);
        Assert.Equal(1, leg.Leg.Quality().Mos);
    }

    [Fact]
    public void Nothing_is_allocated_per_packet()
    {
        var options = new MediaLegOptions { QualityEvery = TimeSpan.FromHours(1) };
        var leg = new MediaLeg(new Nowhere(), options, new RtpStart(1, 1, 1, DateTimeOffset.UnixEpoch, 0));
        leg.Connect(VirtualLeg.Audio(), 0);
        leg.Playback.Open("a");
        leg.Playback.Enqueue("a", new short[160_000]);
        var packet = new byte[172];
        Run(leg, packet, 0, 200);
        Garbage.IsNone(round => Run(leg, packet, 200 + round * 100, 300 + round * 100));
    }

    private static void Run(MediaLeg leg, byte[] packet, int from, int to)
    {
        for (var n = from; n < to; n++)
        {
            RtpHeader.Write(packet, false, 8, (ushort)n, (uint)(n * 160), 7);
            leg.Receive(packet, VirtualLeg.Remote, false, n * 20_000L);
            leg.Tick(n * 20_000L);
        }
    }

    // Which packet a frame came from, by its value; -1 for silence and invented audio. Concealment repeats the frame before it.
    private static IEnumerable<int> InTheMiddleOfFrames(List<short> heard)
    {
        var last = -1;
        for (var at = 100; at < heard.Count; at += 160)
        {
            var n = Enumerable.Range(0, 20).Where(i => VirtualLeg.Through((short)(1_000 + 500 * i)) == heard[at]).DefaultIfEmpty(-1).First();
            if (n == last) continue;
            yield return last = n;
        }
    }

    private sealed class Nowhere : IMediaTransport
    {
        public void SendRtp(ReadOnlySpan<byte> packet, UdpAddress to) { }

        public void SendRtcp(ReadOnlySpan<byte> packet, UdpAddress to) { }
    }
}
