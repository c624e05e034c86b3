namespace Sentiric.Media.Tests;

public class PressingKeys
{
    [Fact]
    public void A_key_is_five_packets_three_end_packets_and_a_pause()
    {
        var sender = new DtmfSender();
        Assert.True(sender.Enqueue("5"));
        var packets = Enumerable.Range(0, 20).Select(i => sender.Next((uint)(1_000 + 160 * i))).OfType<DtmfPacket>().ToList();
        Assert.Equal(8, packets.Count);
        Assert.All(packets, p => Assert.Equal(((uint)1_000, (byte)5), (p.Timestamp, p.Event)));
        Assert.Equal([true, false, false, false, false, false, false, false], packets.Select(p => p.Marker));
        Assert.Equal([160, 320, 480, 640, 800, 800, 800, 800], packets.Select(p => (int)p.Duration));
        Assert.Equal(3, packets.Count(p => p.End));
        Assert.False(sender.IsBusy);
    }

    [Fact]
    public void Every_digit_is_heard_once_however_many_end_packets_repeat_it()
    {
        var heard = Hear("0123456789*#ABCD", repeatEnd: 7, lose: _ => false);
        Assert.Equal("0123456789*#ABCD", heard);
    }

    [Fact]
    public void The_same_key_twice_is_two_digits() => Assert.Equal("1155", Hear("1155", repeatEnd: 1, lose: _ => false));

    [Fact]
    public void A_digit_survives_when_only_its_last_end_packet_arrives() =>
        Assert.Equal("42", Hear("42", repeatEnd: 1, lose: p => !(p.End && p.Duration == 800)));

    [Fact]
    public void A_straggler_of_an_earlier_digit_and_unknown_events_are_no_digits()
    {
        var receiver = new DtmfReceiver();
        Assert.Equal('1', receiver.Take(1_000, [1, 0x0A, 0, 160]));
        Assert.Equal('2', receiver.Take(3_000, [2, 0x0A, 0, 160]));
        Assert.Null(receiver.Take(1_000, [1, 0x8A, 3, 32]));
        Assert.Null(receiver.Take(5_000, [16, 0x0A, 0, 160]));
        Assert.Null(receiver.Take(6_000, [1, 0x0A]));
    }

    [Fact]
    public void A_key_held_longer_than_the_field_can_say_stays_one_digit()
    {
        var receiver = new DtmfReceiver();
        Assert.Equal('7', receiver.Take(1_000, [7, 0x0A, 0xFF, 0xFF]));
        Assert.Null(receiver.Take(1_000 + 0xFFFF, [7, 0x0A, 0, 160]));
    }

    [Theory]
    [InlineData("12x")]
    [InlineData("1 2")]
    public void What_is_no_digit_is_refused_whole(string digits)
    {
        var sender = new DtmfSender();
        Assert.False(sender.Enqueue(digits));
        Assert.False(sender.IsBusy);
    }

    [Fact]
    public void More_digits_than_the_bound_are_refused() => Assert.False(new DtmfSender().Enqueue(new string('1', DtmfSender.MaxQueued + 1)));

    [Fact]
    public void Two_legs_pass_digits_and_the_voice_waits_meanwhile()
    {
        var leg = new VirtualLeg();
        leg.Leg.Playback.Open("voice");
        leg.Leg.Playback.Enqueue("voice", Signals.Voice(TimeSpan.FromSeconds(1)));
        leg.Leg.Playback.Complete("voice");
        Assert.True(leg.Leg.SendDtmf("1#"));
        leg.Tick(90);
        var peer = new VirtualLeg();
        var events = leg.SentRtp.Where(p => (p[1] & 0x7F) == 101).ToList();
        events.ForEach(p => peer.ReceiveBytes(p));
        Assert.Equal(16, events.Count);
        Assert.Equal([new MediaEvent.DtmfPressed('1'), new MediaEvent.DtmfPressed('#')], peer.TakeEvents().OfType<MediaEvent.DtmfPressed>());
        Assert.Equal(8_000, leg.SentPcm().Count(s => s != VirtualLeg.Through(0)), 200.0);
    }

    private static string Hear(string digits, int repeatEnd, Func<DtmfPacket, bool> lose)
    {
        var sender = new DtmfSender();
        var receiver = new DtmfReceiver();
        var heard = "";
        Assert.True(sender.Enqueue(digits));
        Span<byte> payload = stackalloc byte[DtmfPacket.Size];
        for (uint tick = 0; sender.IsBusy; tick++)
        {
            if (sender.Next(tick * 160) is not { } packet || lose(packet)) continue;
            packet.Write(payload);
            for (var i = 0; i < (packet.End ? repeatEnd : 1); i++) heard += receiver.Take(packet.Timestamp, payload);
        }
        return heard;
    }
}
