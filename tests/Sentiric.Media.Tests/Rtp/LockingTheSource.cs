using static Sentiric.Media.SourceVerdict;

namespace Sentiric.Media.Tests;

public class LockingTheSource
{
    private static readonly UdpAddress Sdp = new(0xC000020A, 4_000), Nat = new(0xCB007101, 50_000), Attacker = new(0xC6336442, 6_666);

    [Fact]
    public void The_SDP_address_is_believed_at_once_and_locked_after_four_packets()
    {
        var source = Expecting(Sdp);
        Assert.Equal(AcceptNewStream, source.Admit(Sdp, 1, 10, 0));
        Assert.False(source.IsLocked);
        for (ushort i = 11; i < 14; i++) Assert.Equal(Accept, source.Admit(Sdp, 1, i, 0));
        Assert.True(source.IsLocked);
    }

    [Fact]
    public void A_phone_behind_NAT_is_found_after_four_consecutive_packets()
    {
        var source = Expecting(Sdp);
        Assert.Equal([Drop, Drop, Drop, AcceptNewStream, Accept], Enumerable.Range(1, 5).Select(i => source.Admit(Nat, 1, (ushort)i, 0)));
        Assert.Equal(Nat, source.SendTo);
    }

    [Fact]
    public void Packets_that_do_not_follow_each_other_never_lock()
    {
        var source = Expecting(Sdp);
        for (var i = 0; i < 100; i++) Assert.Equal(Drop, source.Admit(Nat, 1, (ushort)(i * 2), 0));
        Assert.Equal(100, source.Foreign);
    }

    [Fact]
    public void D18_a_packet_from_a_foreign_address_after_the_source_lock_is_ignored()
    {
        var source = Locked(Sdp);
        for (ushort i = 0; i < 50; i++) Assert.Equal(Drop, source.Admit(Attacker, 1, i, 1_000));
        Assert.Equal(Accept, source.Admit(Sdp, 1, 104, 2_000));
        Assert.Equal(Sdp, source.SendTo);
    }

    [Fact]
    public void The_SDP_address_takes_the_lock_back_from_one_that_was_learned()
    {
        var source = Expecting(Sdp);
        for (ushort i = 1; i <= 8; i++) source.Admit(Attacker, 9, i, 0);
        Assert.Equal([Drop, Drop, Drop, AcceptNewStream], Enumerable.Range(50, 4).Select(i => source.Admit(Sdp, 1, (ushort)i, 0)));
        Assert.Equal(Sdp, source.SendTo);
    }

    [Fact]
    public void After_silence_another_address_may_take_over()
    {
        var source = Locked(Sdp);
        for (ushort i = 1; i <= 3; i++) Assert.Equal(Drop, source.Admit(Nat, 2, i, 5_000_000));
        Assert.Equal(AcceptNewStream, source.Admit(Nat, 2, 4, 5_000_000));
    }

    [Fact]
    public void A_renegotiated_address_opens_the_lock_and_the_same_address_does_not()
    {
        var source = Locked(Sdp);
        source.Expect(Sdp);
        Assert.True(source.IsLocked);
        source.Expect(Nat);
        Assert.Equal((false, Nat), (source.IsLocked, source.SendTo));
        Assert.Equal(AcceptNewStream, source.Admit(Nat, 3, 1, 0));
    }

    [Fact]
    public void A_new_SSRC_from_the_locked_address_needs_two_packets()
    {
        var source = Locked(Sdp);
        Assert.Equal([Drop, AcceptNewStream, Accept], new ushort[] { 7, 8, 9 }.Select(i => source.Admit(Sdp, 2, i, 0)));
    }

    [Fact]
    public void A_spray_of_addresses_does_not_keep_the_real_phone_out()
    {
        var source = Expecting(Sdp);
        for (var i = 0; i < 1_000; i++) source.Admit(new UdpAddress((uint)(0x0A000000 + i), 1), (uint)i, 1, 0);
        Assert.Equal(AcceptNewStream, source.Admit(Sdp, 1, 1, 0));
    }

    [Fact]
    public void D43_the_stream_of_an_earlier_call_is_never_learned()
    {
        var source = new SourceLock(TimeSpan.FromSeconds(5));
        source.Expect(Sdp, ssrcOfEarlierCall: 77);
        for (ushort i = 0; i < 50; i++) Assert.Equal(Drop, source.Admit(Nat, 77, i, 0));
    }

    private static SourceLock Expecting(UdpAddress address)
    {
        var source = new SourceLock(TimeSpan.FromSeconds(5));
        source.Expect(address);
        return source;
    }

    private static SourceLock Locked(UdpAddress address)
    {
        var source = Expecting(address);
        for (ushort i = 100; i < 104; i++) source.Admit(address, 1, i, 0);
        return source;
    }
}
