using System.Net;
using System.Net.Sockets;
using Sentiric.Scenarios.Kit;
using Sentiric.Testing.Platform;
using Xunit;

namespace Sentiric.Scenarios.Start;

/// <summary>A start that cannot succeed ends with an exit code and one sentence that says what to do; never with a stack trace.</summary>
[Collection(Lanes.Wire)]
[Trait("Category", "Slow")]
public sealed class BadStartTests(SharedPlatform shared)
{
    private const int WrongSetting = 2, CannotBeHad = 3;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(90);

    [PlatformFact]
    public async Task A_SIP_port_that_is_taken_is_named()
    {
        using var squatter = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        var port = ((IPEndPoint)squatter.Client.LocalEndPoint!).Port;
        var said = await FailsAsync(CannotBeHad, ("Sip__Listen", $"udp://127.0.0.1:{port}"));
        Assert.Contains($"{port}", said, StringComparison.Ordinal);
    }

    [PlatformFact]
    public async Task An_HTTP_port_that_is_taken_is_named()
    {
        var platform = await shared.GetAsync();
        var said = await FailsAsync(CannotBeHad, ("Urls", platform.Url.ToString()));
        Assert.Contains($"{platform.Url.Port}", said, StringComparison.Ordinal);
    }

    [PlatformFact]
    public async Task A_native_library_that_is_missing_is_named() =>
        Assert.Contains("libonnxruntime.so", await FailsAsync(CannotBeHad, ("Speech__NativeFolder", "/nowhere")), StringComparison.Ordinal);

    [PlatformFact]
    public async Task A_model_that_is_missing_is_named() =>
        Assert.Contains(".onnx", await FailsAsync(CannotBeHad, ("Speech__ModelFolder", "/nowhere")), StringComparison.Ordinal);

    [PlatformFact]
    public async Task A_setting_that_is_no_number_is_named_with_its_range()
    {
        var said = await FailsAsync(WrongSetting, ("Sip__MaxCalls", "many"));
        Assert.Contains("Sip__MaxCalls is 'many'", said, StringComparison.Ordinal);
        Assert.Contains("100000", said, StringComparison.Ordinal);
    }

    [PlatformFact]
    public async Task A_PostgreSQL_that_is_not_there_is_named_after_some_patience()
    {
        var said = await FailsAsync(CannotBeHad, ("ConnectionStrings__Postgres", $"Host=127.0.0.1;Port={FreePorts.Next()};Username=nobody;Database=none;Timeout=2"));
        Assert.Contains("PostgreSQL", said, StringComparison.Ordinal);
    }

    // A copy of the shared platform's settings on its own HTTP and SIP ports, with one of them wrong.
    private async Task<string> FailsAsync(int exitCode, params (string Name, string Value)[] wrong)
    {
        var settings = new Dictionary<string, string>((await shared.GetAsync()).Environment("all"))
        {
            ["Urls"] = $"http://127.0.0.1:{FreePorts.Next()}", ["Sip__Listen"] = $"udp://127.0.0.1:{FreePorts.Next()}",
        };
        foreach (var (name, value) in wrong)
        {
            settings[name] = value;
        }

        var (code, error) = await HostProcess.RunToEndAsync(settings, Limit);
        var lines = error.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.True(lines.Length == 1 && lines[0].StartsWith("sentiric: ", StringComparison.Ordinal), $"exit code {code}, stderr has {lines.Length} lines:\n{error}");
        Assert.Equal(exitCode, code);
        return lines[0];
    }
}
