using Sentiric.Testing;

namespace Sentiric.Media.Tests;

/// <summary>Published vectors first, then what a network does to sealed packets.</summary>
public class SealingPackets
{
    private static readonly byte[] Master = Hex("E1F97A0D3E018BE0D64FA32C06DE4139"), Salt = Hex("0EC675AD498AFEEBB6960B3AABE6");

    [Fact]
    public void The_key_stream_is_that_of_RFC_3711_B_2()
    {
        using var counter = new AesCounter(Hex("2B7E151628AED2A6ABF7158809CF4F3C"));
        var stream = new byte[0xFF03 * 16];
        counter.Apply(Hex("F0F1F2F3F4F5F6F7F8F9FAFBFCFD0000"), stream, stream);
        Assert.Equal("E03EAD0935C95E80E166B16DD92B4EB4D23513162B02D0F72A43A2FE4A5F97AB41E95B3BB0A2E8DD477901E4FCA894C0", Convert.ToHexString(stream[..48]));
        Assert.Equal("EC8CDF7398607CB0F2D21675EA9EA1E4362B7C3C6773516318A077D7FC5073AE6A2CC3787889374FBEB4C81B17BA6C44", Convert.ToHexString(stream[(0xFEFF * 16)..(0xFF02 * 16)]));
    }

    [Fact]
    public void Session_keys_are_those_of_RFC_3711_B_3()
    {
        var key = Key(SrtpSuite.AesCm128HmacSha1Tag80, Master, Salt);
        Assert.Equal("C61E7A93744F39EE10734AFE3FF7A087", Convert.ToHexString(SrtpKeyDerivation.Derive(key, SrtpKeyDerivation.RtpCipher, 16)));
        Assert.Equal("30CBBC08863D8C85D49DB34A9AE1", Convert.ToHexString(SrtpKeyDerivation.Derive(key, SrtpKeyDerivation.RtpSalt, 14)));
        Assert.Equal(
            "CEBE321F6FF7716B6FD4AB49AF256A156D38BAA48F0A0ACF3C34E2359E6CDBCEE049646C43D9327AD175578EF72270986371C10C9A369AC2F94A8C5FBCDDDC256D6E919A48B610EF17C2041E474035766B68642C59BBFC2F34DB60DBDFB2",
            Convert.ToHexString(SrtpKeyDerivation.Derive(key, SrtpKeyDerivation.RtpAuthentication, 94)));
    }

    // Reference packets of libsrtp's own test program: key derivation, cipher and tag in one.
    [Theory]
    [InlineData(SrtpSuite.AesCm128HmacSha1Tag80, "800F1234DECAFBADCAFEBABE4E55DC4CE79978D88CA4D215949D2402B78D6ACC99EA179B8DBB")]
    [InlineData(SrtpSuite.AesCm128HmacSha1Tag32, "800F1234DECAFBADCAFEBABE4E55DC4CE79978D88CA4D215949D2402B78D6ACC")]
    [InlineData(SrtpSuite.AeadAes128Gcm, "800F1234DECAFBADCAFEBABEC5002EDE04CFDD2EB91159E0880AA06ED2976826F796B201DF3131A127E8A392")]
    public void An_RTP_packet_is_sealed_as_libsrtp_seals_it(SrtpSuite suite, string expected)
    {
        var plain = Hex("800F1234DECAFBADCAFEBABE" + "ABABABABABABABABABABABABABABABAB");
        var (target, back) = (new byte[64], new byte[64]);
        using var sender = new SrtpSender(Reference(suite));
        using var receiver = new SrtpReceiver(Reference(suite));
        var length = sender.Seal(plain, RtpHeader.Size, target);
        Assert.Equal(expected, Convert.ToHexString(target.AsSpan(0, length)));
        Assert.Equal(SrtpVerdict.Open, receiver.Open(target.AsSpan(0, length), back, out var opened));
        Assert.Equal(plain, back[..opened]);
    }

    [Theory]
    [InlineData(SrtpSuite.AesCm128HmacSha1Tag80, "81C8000BCAFEBABE7128035BE487B9BDBEF89041F977A5A880000001993E08CD54D6C1230798")]
    [InlineData(SrtpSuite.AesCm128HmacSha1Tag32, "81C8000BCAFEBABE7128035BE487B9BDBEF89041F977A5A880000001993E08CD54D6C1230798")]
    [InlineData(SrtpSuite.AeadAes128Gcm, "81C8000BCAFEBABEC98B8B5DF0392A55852B6C21AC8E7025C52C6FBEA2B3B446EA31123BA88CE61E80000001")]
    public void An_RTCP_packet_is_sealed_as_libsrtp_seals_it(SrtpSuite suite, string expected)
    {
        var plain = Hex("81C8000BCAFEBABE" + "ABABABABABABABABABABABABABABABAB");
        var (target, back) = (new byte[64], new byte[64]);
        using var sender = new SrtpSender(Reference(suite));
        using var receiver = new SrtpReceiver(Reference(suite));
        var length = sender.SealRtcp(plain, target);
        Assert.Equal(expected, Convert.ToHexString(target.AsSpan(0, length)));
        Assert.Equal(SrtpVerdict.Open, receiver.OpenRtcp(target.AsSpan(0, length), back, out var opened));
        Assert.Equal(plain, back[..opened]);
        Assert.Equal(SrtpVerdict.Replayed, receiver.OpenRtcp(target.AsSpan(0, length), back, out _));
    }

    [Fact]
    public void AEAD_packets_are_those_of_RFC_7714_16()
    {
        var (key, salt) = (Hex("000102030405060708090A0B0C0D0E0F"), Hex("517569642070726F2071756F"));
        using var cipher = new AesGcmSrtp(key, salt, key, salt);
        var target = new byte[128];
        var rtp = Hex("8040F17B8041F8D35501A0B247616C6C696120657374206F6D6E69732064697669736120696E207061727465732074726573");
        Assert.Equal(
            "8040F17B8041F8D35501A0B2F24DE3A3FB34DE6CACBA861C9D7E4BCABE633BD50D294E6F42A5F47A51C7D19B36DE3ADF8833899D7F27BEB16A9152CF765EE4390CCE",
            Convert.ToHexString(target.AsSpan(0, cipher.Seal(rtp, RtpHeader.Size, 0, target))));
        var rtcp = Hex("81C8000D4D6172734E5450314E545032525450200000042A0000E9304C756E61DEADBEEFDEADBEEFDEADBEEFDEADBEEFDEADBEEF");
        Assert.Equal(
            "81C8000D4D61727363E94885DCDAB67CA727D7662F6B7E997FF5C0F76C06F32DC676A5F1730D6FDA4CE09B4686303DED0BB9275BC84AA45896CF4D2FC5ABF87245D9EADE800005D4",
            Convert.ToHexString(target.AsSpan(0, cipher.SealRtcp(rtcp, 0x5D4, target))));
    }

    [Theory]
    [MemberData(nameof(Suites))]
    public void Every_changed_bit_is_noticed(SrtpSuite suite)
    {
        var wire = new Wire(suite);
        var packet = wire.Seal(7);
        for (var bit = 0; bit < packet.Length * 8; bit++)
        {
            var changed = packet.ToArray();
            changed[bit / 8] ^= (byte)(1 << bit % 8);
            Assert.NotEqual(SrtpVerdict.Open, wire.Open(changed));
        }
        Assert.Equal(SrtpVerdict.Open, wire.Open(packet)); // and none of that moved the window
    }

    [Theory]
    [MemberData(nameof(Suites))]
    public void Every_length_is_survived(SrtpSuite suite)
    {
        var wire = new Wire(suite);
        var packet = wire.Seal(7);
        for (var length = 0; length < packet.Length; length++) Assert.NotEqual(SrtpVerdict.Open, wire.Open(packet[..length]));
    }

    [Fact]
    public void A_packet_is_taken_once_and_the_window_holds_64()
    {
        var wire = new Wire(SrtpSuite.AesCm128HmacSha1Tag80);
        var packets = Enumerable.Range(0, 200).Select(n => wire.Seal((ushort)n)).ToArray();
        Assert.Equal(SrtpVerdict.Open, wire.Open(packets[150]));
        Assert.Equal(SrtpVerdict.Replayed, wire.Open(packets[150]));
        Assert.Equal(SrtpVerdict.Open, wire.Open(packets[87]));
        Assert.Equal(SrtpVerdict.Replayed, wire.Open(packets[86]));
        Assert.Equal(SrtpVerdict.Open, wire.Open(packets[120]));
        Assert.Equal(SrtpVerdict.Replayed, wire.Open(packets[120]));
    }

    [Fact]
    public void The_rollover_counter_follows_loss_and_reordering_across_the_wrap()
    {
        var wire = new Wire(SrtpSuite.AeadAes128Gcm);
        var packets = Enumerable.Range(65_500, 100).Select(n => wire.Seal((ushort)n)).ToArray();
        foreach (var at in new[] { 0, 35, 38, 36, 37, 34, 90 }) Assert.Equal(SrtpVerdict.Open, wire.Open(packets[at]));
        for (var round = 1; round < 3; round++)
        {
            for (var n = 64 + (round - 1) * 65_536; n < round * 65_536; n += 1)
            {
                var packet = wire.Seal((ushort)n);
                if (n % 20_000 == 0) Assert.Equal(SrtpVerdict.Open, wire.Open(packet));
            }
        }
    }

    [Fact]
    public void Several_sources_keep_their_own_windows()
    {
        var wire = new Wire(SrtpSuite.AesCm128HmacSha1Tag32);
        var (one, other) = (wire.Seal(5, ssrc: 1), wire.Seal(5, ssrc: 2));
        Assert.Equal([SrtpVerdict.Open, SrtpVerdict.Open, SrtpVerdict.Replayed], new[] { one, other, one }.Select(wire.Open));
    }

    [Theory]
    [MemberData(nameof(Suites))]
    public void Nothing_is_allocated_per_packet(SrtpSuite suite)
    {
        using var sender = new SrtpSender(SrtpKey.Draw(suite));
        using var receiver = new SrtpReceiver(sender.Key);
        var (plain, target, back) = (new byte[172], new byte[256], new byte[256]);
        Run(0, 100);
        Garbage.IsNone(round => Run(100 + round * 500, 600 + round * 500));

        void Run(int from, int to)
        {
            for (var n = from; n < to; n++)
            {
                RtpHeader.Write(plain, false, 8, (ushort)n, 0, 1);
                var verdict = receiver.Open(target.AsSpan(0, sender.Seal(plain, RtpHeader.Size, target)), back, out _);
                if (verdict != SrtpVerdict.Open) throw new InvalidOperationException($"{verdict}");
            }
        }
    }

    [Fact]
    public void A_key_never_shows_itself_in_text() => Assert.Equal("AEAD_AES_128_GCM", $"{SrtpKey.Draw(SrtpSuite.AeadAes128Gcm)}");

    public static TheoryData<SrtpSuite> Suites() => [.. SrtpSuites.All];

    private static SrtpKey Reference(SrtpSuite suite) => suite == SrtpSuite.AeadAes128Gcm
        ? Key(suite, Hex("000102030405060708090A0B0C0D0E0F"), Hex("A0A1A2A3A4A5A6A7A8A9AAAB"))
        : Key(suite, Master, Salt);

    private static SrtpKey Key(SrtpSuite suite, byte[] master, byte[] salt) =>
        SrtpKey.Of(suite, [.. master, .. salt]) ?? throw new InvalidOperationException("a key of the wrong length");

    private static byte[] Hex(string text) => Convert.FromHexString(text);

    private sealed class Wire(SrtpSuite suite)
    {
        private readonly byte[] buffer = new byte[256];
        private readonly Dictionary<uint, SrtpSender> senders = [];
        private readonly SrtpKey key = SrtpKey.Draw(suite);
        private SrtpReceiver? receiver;

        public byte[] Seal(ushort sequence, uint ssrc = 1)
        {
            if (!senders.TryGetValue(ssrc, out var sender)) senders[ssrc] = sender = new SrtpSender(key);
            var plain = new byte[52];
            RtpHeader.Write(plain, false, 8, sequence, 0, ssrc);
            return buffer.AsSpan(0, sender.Seal(plain, RtpHeader.Size, buffer)).ToArray();
        }

        public SrtpVerdict Open(byte[] packet) => (receiver ??= new SrtpReceiver(key)).Open(packet, buffer, out _);
    }
}
