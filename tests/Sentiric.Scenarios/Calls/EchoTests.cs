using Sentiric.Contracts.Events;
using Sentiric.Media;
using Sentiric.Phone;
using Sentiric.Scenarios.Kit;
using Sentiric.Testing.Platform;
using Xunit;
using Xunit.Abstractions;

namespace Sentiric.Scenarios.Calls;

/// <summary>A sound that is played once and must come back as it was: no packet of it may be late.</summary>
[Collection(Lanes.Quiet)]
[Trait("Category", "Slow")]
public sealed class EchoTests(SharedPlatform shared, ITestOutputHelper output)
{
    private static readonly TimeSpan EchoLimit = TimeSpan.FromSeconds(2);

    [PlatformFact]
    public async Task The_echo_test_brings_a_chirp_back()
    {
        var platform = await shared.GetAsync();
        await using var phone = await LoopbackPhone.StartAsync();
        await using var call = await platform.AnsweredAsync(phone, Calling.Echo);
        var record = await platform.Api.CallAsync(call.CallId);
        await platform.Api.PlayedAsync(record.CallId, UtteranceKind.Announcement);

        var chirp = Tone.Sweep(400, 2_400, TimeSpan.FromMilliseconds(400));
        using var ear = call.Listen();
        call.Play(chirp);
        var heard = await ear.HearAsync(EchoLimit);
        await call.HangUpAsync();
        var (correlation, at) = Sound.Find(chirp, heard);
        output.WriteLine($"correlation {correlation:0.000}, {at / 8} ms after the chirp began");
        Assert.True(correlation > 0.9, $"the best correlation is {correlation:0.000} in {heard.Length / 8} ms");
        Assert.Equal(DialplanAction.EchoTest, (await platform.Api.EndedCallAsync(call.CallId)).Action);
    }
}
