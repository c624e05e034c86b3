using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Sentiric.Contracts.Events;
using Sentiric.Scenarios.Kit;
using Sentiric.Testing.Platform;
using Xunit;
using Xunit.Abstractions;

namespace Sentiric.Scenarios.Peers;

/// <summary>A trunk that must be encrypted, and at its far end a telephone (libsrtp) that takes nothing else.</summary>
[Trait("Category", "Slow")]
public sealed class SecureTrunkTests(ITestOutputHelper output) : IDisposable
{
    private const string Number = "+442079460018", Text = "merhaba, bu görüşme baştan sona şifreli gidiyor";
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(90);
    private readonly string folder = Directory.CreateTempSubdirectory("sentiric-secure-").FullName;

    [PlatformFact("baresip")]
    public async Task A_call_that_we_place_on_an_encrypted_trunk_carries_what_the_other_side_says()
    {
        var sentence = await Sentence.SpokenAsync(Text);
        await using var baresip = await BaresipPeer.StartAsync(folder, sentence.Repeated(Long), srtp: true, user: Number);
        await using var platform = await RunningPlatform.StartAsync(new PlatformOptions
        {
            Settings = new Dictionary<string, string>
            {
                ["Sip__KeepMessages"] = "true", ["Sip__Toll__Allow"] = "44", ["Sip__Trunks__0__Name"] = "secure", ["Sip__Trunks__0__Srtp"] = "required",
                ["Sip__Trunks__0__Target"] = string.Create(CultureInfo.InvariantCulture, $"sip:127.0.0.1:{baresip.Port};transport=udp"),
            },
        });
        await RecordedEcho.PublishAsync(platform.Api);
        using var placed = await platform.Api.Http.PostAsJsonAsync("v1/calls", new { to = Number, from = Calling.Assistant, dialplan_id = RecordedEcho.Plan, ring_seconds = 20 });
        Assert.True(placed.StatusCode == HttpStatusCode.Created, await placed.Content.ReadAsStringAsync());
        var id = (await placed.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("call_id").GetGuid();
        await baresip.EventAsync("CALL_ESTABLISHED");

        var back = 0.0;
        await Until.TrueAsync(
            "the sentence to come back", () => Task.FromResult((back = sentence.LatelyIn(baresip.Heard())) > Sentence.Likeness), Long,
            () => $"likeness {back:F3} in {baresip.Heard().Length} samples\n{baresip.Said}");
        await baresip.CommandAsync("hangup");
        await platform.Api.StoryWithAsync<CallEnded>(id, limit: Calling.Patience);

        var recorded = sentence.In(await RecordedEcho.OtherSideAsync(platform.Api, id));
        var said = Encoding.Latin1.GetString(await platform.Api.Http.GetByteArrayAsync($"v1/calls/{id}/sip.pcap"));
        output.WriteLine($"the sentence is recorded with {recorded:F4} and came back with {back:F4}");
        Assert.True(recorded > Sentence.Likeness, $"the recording is like the sentence by {recorded:F3}");
        Assert.Contains("RTP/SAVP ", said, StringComparison.Ordinal);
        Assert.DoesNotContain("RTP/AVP ", said, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);
}
