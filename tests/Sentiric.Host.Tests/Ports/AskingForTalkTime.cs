using Sentiric.Contracts.Services;
using Sentiric.Host.Ports;
using Sentiric.Host.Tests.Kit;
using Sentiric.Testing.Loopback;

namespace Sentiric.Host.Tests.Ports;

public sealed class AskingForTalkTime
{
    private static readonly DateTimeOffset Morning = new(2026, 11, 17, 0, 0, 0, TimeSpan.FromHours(3));

    [Fact]
    public async Task A_sip_role_hears_from_a_read_role_elsewhere_what_was_talked()
    {
        await using var read = await LoopbackApp.StartAsync(app => TalkTimePort.Map(app, new Echoing()), Given.WireJson);
        var times = await new TalkTimePort(ServiceClients.ClientFor(read.Address, Given.ServiceKey)).BetweenAsync(Morning, Morning.AddHours(8), CancellationToken.None);
        Assert.Equal([new TrunkTalkTime("carrier", 28_800_000), new TrunkTalkTime(null, 0)], times);
    }

    private sealed class Echoing : ITalkTime
    {
        public ValueTask<IReadOnlyList<TrunkTalkTime>> BetweenAsync(DateTimeOffset since, DateTimeOffset before, CancellationToken ct) =>
            ValueTask.FromResult<IReadOnlyList<TrunkTalkTime>>([new("carrier", (long)(before - since).TotalMilliseconds), new(null, 0)]);
    }
}
