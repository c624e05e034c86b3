using System.Diagnostics;

namespace Sentiric.EventStore.Tests.Chaos.Children;

/// <summary>A process of <see cref="Program"/>. It ends with the tests: its standard input closes.</summary>
internal sealed class Child : IDisposable
{
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(30);
    private readonly Process _process;

    private Child(Process process) => _process = process;

    public bool IsAlive => !_process.HasExited;

    public static Child Start(params string[] arguments)
    {
        var start = new ProcessStartInfo(DotNet(), [typeof(Child).Assembly.Location, .. arguments]) { RedirectStandardInput = true, WorkingDirectory = Path.GetTempPath() };
        // A killed process must not leave a dump behind, and few small processes need no server's heap.
        start.Environment["DOTNET_gcServer"] = "0";
        start.Environment["DOTNET_TieredPGO"] = "0";
        return new Child(Process.Start(start) ?? throw new InvalidOperationException("The child was not started."));
    }

    /// <summary>SIGKILL.</summary>
    public void Kill()
    {
        _process.Kill();
        _process.WaitForExit(StopLimit);
    }

    public async Task StopAsync()
    {
        _process.StandardInput.Close();
        using var limit = new CancellationTokenSource(StopLimit);
        try
        {
            await _process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            _process.Kill();
            throw new TimeoutException($"Waited {StopLimit.TotalSeconds} s for a child to end after its standard input was closed.");
        }
    }

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill();
        _process.Dispose();
    }

    private static string DotNet() =>
        Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") is { Length: > 0 } path && File.Exists(path) ? path : "dotnet";
}
