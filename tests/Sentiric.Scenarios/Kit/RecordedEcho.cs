using Sentiric.Contracts.Events;
using Sentiric.Media;
using Sentiric.Testing.Platform;

namespace Sentiric.Scenarios.Kit;

/// <summary>An echo test whose calls are recorded, for those who want to compare what they said with what was written down. The demo's own is not.</summary>
internal static class RecordedEcho
{
    public const string Plan = "yanki-kayitli", Number = "1098";

    public static Task PublishAsync(PlatformApi api) => Plans.PublishAsync(api, Number, Plan, DialplanAction.EchoTest, new());

    /// <summary>What the platform wrote down of the other side, once the call is over. The row that names the file follows the log.</summary>
    public static async Task<short[]> OtherSideAsync(PlatformApi api, Guid callId)
    {
        await api.StoryWithAsync<RecordingAvailable>(callId, limit: Calling.Patience);
        return WavFile.Parse(await Until.AsksAsync($"the recording of the call {callId}", () => RecordingAsync(api, callId), Calling.Patience)).Channels[0];
    }

    private static async Task<byte[]?> RecordingAsync(PlatformApi api, Guid callId)
    {
        using var reply = await api.Http.GetAsync($"v1/calls/{callId}/recording");
        return reply.IsSuccessStatusCode ? await reply.Content.ReadAsByteArrayAsync() : null;
    }
}
