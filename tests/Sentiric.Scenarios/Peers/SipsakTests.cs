using Sentiric.Phone;
using Sentiric.Scenarios.Kit;
using Sentiric.Testing.Platform;
using Xunit;

namespace Sentiric.Scenarios.Peers;

/// <summary>The question that monitoring tools ask.</summary>
public sealed class SipsakTests
{
    [PeerFact("sipsak")]
    public async Task OPTIONS_of_sipsak_is_answered_with_200()
    {
        await using var phone = await LoopbackPhone.StartAsync();
        var (exit, output, error) = await Programs.RunAsync("sipsak", ["-s", phone.AddressOf("us").ToString(), "-vv"], Calling.Patience);
        Assert.True(exit == 0, $"{exit}\n{output}\n{error}");
        Assert.Contains("SIP/2.0 200", output, StringComparison.Ordinal);
    }
}
