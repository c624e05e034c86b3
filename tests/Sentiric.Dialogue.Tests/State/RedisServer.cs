using System.Diagnostics;
using Sentiric.Testing.Platform;
using Xunit;

namespace Sentiric.Dialogue.Tests;

/// <summary>Redis for the tests: the one that SENTIRIC_TEST_REDIS names, else an own one on a free port, else none.</summary>
public sealed class RedisServer : IDisposable
{
    public const string Absent = "there is no Redis: set SENTIRIC_TEST_REDIS or install redis-server";

    private const string Program = "/usr/bin/redis-server";
    private readonly Process? _process;

    public RedisServer()
    {
        Address = Environment.GetEnvironmentVariable("SENTIRIC_TEST_REDIS");
        if (Address is null && File.Exists(Program))
        {
            var port = FreePorts.Next();
            _process = Process.Start(new ProcessStartInfo(Program, ["--port", $"{port}", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]) { RedirectStandardOutput = true });
            Address = $"127.0.0.1:{port}";
            WaitUntilReady();
        }
    }

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

[CollectionDefinition(nameof(RedisServer))]
public sealed class RedisServerCollection : ICollectionFixture<RedisServer>;
