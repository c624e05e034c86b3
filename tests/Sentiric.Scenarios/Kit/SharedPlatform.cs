using Sentiric.Contracts.Queries;
using Sentiric.Phone;
using Sentiric.Testing.Platform;
using Xunit;

namespace Sentiric.Scenarios.Kit;

/// <summary>One platform, and the demo call on it, for all tests of a lane that break nothing. Both come into being when the first test asks for them.</summary>
public sealed class SharedPlatform : IAsyncLifetime
{
    private readonly Lazy<Task<RunningPlatform>> platform = new(() => RunningPlatform.StartAsync());
    private readonly Lazy<Task<DemoCall>> demo;
    private readonly string folder = Directory.CreateTempSubdirectory("sentiric-demo-call-").FullName;

    public SharedPlatform() => demo = new(async () => await DemoCall.PlaceAsync(await platform.Value, Path.Combine(folder, "caller.wav")));

    public Task<RunningPlatform> GetAsync() => platform.Value;

    public Task<DemoCall> DemoAsync() => demo.Value;

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        if (platform.IsValueCreated && platform.Value.IsCompletedSuccessfully)
        {
            await platform.Value.Result.DisposeAsync();
        }

        Directory.Delete(folder, recursive: true);
    }
}

/// <summary>The demo call, from the caller's side and from the platform's.</summary>
/// <param name="CallerRecording">Stereo WAV as the caller heard it: left the agent, right the caller.</param>
/// <param name="SocketsBefore">UDP sockets of the platform before the call.</param>
public sealed record DemoCall(CallerReport Report, CallDetail Detail, CallStory Story, string CallerRecording, int SocketsBefore)
{
    public static async Task<DemoCall> PlaceAsync(RunningPlatform platform, string recordTo)
    {
        var sockets = platform.UdpSockets();
        var report = await platform.CallAsync(Calling.Script("demo-tr"), recordTo: recordTo);
        var record = await platform.Api.EndedCallAsync(report.SipCallId);
        return new(report, await platform.Api.DetailAsync(record.CallId), await platform.Api.StoryAsync(record.CallId), recordTo, sockets);
    }
}
