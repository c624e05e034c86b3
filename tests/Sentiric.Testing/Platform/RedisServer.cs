using System.Diagnostics;

namespace Sentiric.Testing.Platform;

/// <summary>Redis for the tests: the one that SENTIRIC_TEST_REDIS names, else an own one on a free port, else none.</summary>
public sealed class RedisServer : IDisposable
{
    public const string Absent = "there is no Redis: set SENTIRIC_TEST_REDIS or install redis-server";

    private const string Variable = "SENTIRIC_TEST_REDIS";
    private const string Program = "/usr/bin/redis-server";
    private readonly Process? _process;

    public RedisServer()
    {
        Address = Environment.GetEnvironmentVariable(Variable);
        if (Address is null && File.Exists(Program))
        {
            var port = FreePorts.Next();
            _process = Process.Start(new ProcessStartInfo(Program, ["--port", $"{port}", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]) { RedirectStandardOutput = true });
            Address = $"127.0.0.1:{port}";
            WaitUntilReady();
        }
    }

    /// <summary>Whether <see cref="Address"/> will name one.</summary>
    public static bool IsThere => Environment.GetEnvironmentVariable(Variable) is not null || File.Exists(Program);

    public string? Address { get; }

    public void Dispose()
    {
        _process?.Kill();
        _process?.Dispose();
    }

    // Redis says so on its output.
    private void WaitUntilReady()
    {
        while (_process?.StandardOutput.ReadLine() is { } line && !line.Contains("Ready to accept connections", StringComparison.Ordinal))
        {
        }
    }
}
