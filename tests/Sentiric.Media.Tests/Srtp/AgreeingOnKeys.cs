using System.Net;

namespace Sentiric.Media.Tests;

/// <summary>SDES (RFC 4568) in offer and answer.</summary>
public class AgreeingOnKeys
{
    private const string Key80 = "a=crypto:7 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20\r\n";
    private static readonly IReadOnlyList<SrtpKey> Ours = [.. SrtpSuites.All.Select(SrtpKey.Draw)];
    private static readonly SdpLocal Local = new(IPAddress.Parse("192.0.2.1"), 10_000, SrtpKeys: Ours);

    [Fact]
    public void An_offered_key_is_answered_with_ours_under_its_tag()
    {
        var outcome = Answer(Offer("RTP/SAVP", Key80));
        Assert.Contains("m=audio 10000 RTP/SAVP 8\r\n", outcome.Sdp, StringComparison.Ordinal);
        Assert.Contains($"a=crypto:7 AES_CM_128_HMAC_SHA1_80 inline:{Ours[1].ToBase64()}\r\n", outcome.Sdp, StringComparison.Ordinal);
        Assert.Equal(("WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz", Ours[1]), (outcome.Audio?.Srtp?.Theirs.ToBase64(), outcome.Audio?.Srtp?.Ours));
    }

    [Fact]
    public void The_first_line_that_we_speak_is_taken_in_the_order_of_the_offer()
    {
        var gcm = SrtpKey.Draw(SrtpSuite.AeadAes128Gcm);
        var outcome = Answer(Offer("RTP/SAVP", "a=crypto:1 AES_256_CM_HMAC_SHA1_80 inline:AAAA\r\n" + $"a=crypto:2 AEAD_AES_128_GCM inline:{gcm.ToBase64()}\r\n" + Key80));
        Assert.Equal(gcm, outcome.Audio?.Srtp?.Theirs);
    }

    [Theory]
    [InlineData("")]
    [InlineData("a=crypto:1 AES_CM_128_HMAC_SHA1_80\r\n")]
    [InlineData("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGV\r\n")]
    [InlineData("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20|1:4\r\n")]
    [InlineData("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz UNENCRYPTED_SRTP\r\n")]
    [InlineData("a=crypto:x AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\r\n")]
    [InlineData("a=crypto:1 F8_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\r\n")]
    public void Nothing_that_fits_is_refused_and_never_answered_in_clear(string crypto) =>
        Assert.Equal(MediaRefusal.NothingInCommon, Answer(Offer("RTP/SAVP", crypto)).Refusal?.Code);

    [Theory]
    [InlineData(SrtpPolicy.Never, "RTP/SAVP")]
    [InlineData(SrtpPolicy.Required, "RTP/AVP")]
    public void What_the_policy_forbids_is_refused(SrtpPolicy policy, string protocol) =>
        Assert.Equal(MediaRefusal.NothingInCommon, Answer(Offer(protocol, Key80), policy).Refusal?.Code);

    [Fact]
    public void Plain_RTP_is_answered_plainly_even_beside_a_key()
    {
        var outcome = Answer(Offer("RTP/AVP", Key80));
        Assert.Null(outcome.Audio?.Srtp);
        Assert.DoesNotContain("crypto", outcome.Sdp, StringComparison.Ordinal);
    }

    [Fact]
    public void Our_own_offer_is_understood_by_ourselves()
    {
        var capabilities = MediaCapabilities.Default with { Srtp = SrtpPolicy.Required };
        var offer = SdpNegotiator.Offer(capabilities, Local);
        var theirs = new SdpLocal(IPAddress.Parse("192.0.2.2"), 20_000, SrtpKeys: [.. SrtpSuites.All.Select(SrtpKey.Draw)]);
        var answer = SdpNegotiator.Answer(offer, MediaCapabilities.Default, theirs);
        var agreed = SdpNegotiator.ReadAnswer(answer.Sdp ?? "", capabilities, Ours);
        Assert.Equal(answer.Audio?.Srtp, agreed.Audio?.Srtp is { } pair ? new SrtpPair(pair.Theirs, pair.Ours) : null);
        Assert.Equal(SrtpSuite.AeadAes128Gcm, agreed.Audio?.Srtp?.Ours.Suite);
    }

    [Theory]
    [InlineData("m=audio 20000 RTP/AVP 8\r\n")]
    [InlineData("m=audio 20000 RTP/SAVP 8\r\n")]
    [InlineData("m=audio 20000 RTP/SAVP 8\r\na=crypto:9 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\r\n")]
    [InlineData("m=audio 20000 RTP/SAVP 8\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\r\n")]
    public void An_answer_that_takes_none_of_our_keys_is_refused(string media)
    {
        var capabilities = MediaCapabilities.Default with { Srtp = SrtpPolicy.Required };
        var answer = "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n" + media;
        Assert.Equal(MediaRefusal.NothingInCommon, SdpNegotiator.ReadAnswer(answer, capabilities, Ours).Refusal?.Code);
    }

    private static SdpOutcome Answer(string offer, SrtpPolicy policy = SrtpPolicy.WhenOffered) =>
        SdpNegotiator.Answer(offer, MediaCapabilities.Default with { Srtp = policy }, Local);

    private static string Offer(string protocol, string crypto) =>
        $"v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\nm=audio 4000 {protocol} 8\r\n{crypto}";
}
