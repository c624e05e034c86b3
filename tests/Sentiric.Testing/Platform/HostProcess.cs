using System.Diagnostics;
using System.Net;

namespace Sentiric.Testing.Platform;

/// <summary>One process of the platform's host, started from Sentiric.Host.dll beside the test assembly.</summary>
public sealed class HostProcess
{
    private const int LogTail = 3_000;
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(20);
    private static readonly string Host = Path.Combine(AppContext.BaseDirectory, "Sentiric.Host.dll");

    private readonly Process process;
    private readonly Process watcher;
    private readonly string logFile;

    private HostProcess(Process process, string logFile)
    {
        (this.process, this.logFile) = (process, logFile);
        watcher = EndWithThisProcess(process.Id);
    }

    public static HostProcess Start(string role, IReadOnlyDictionary<string, string> settings, string logFile) =>
        new(Spawn(role, settings, """exec "$@" >>"$SENTIRIC_LOG" 2>&1""", logFile), logFile);

    /// <summary>Runs a host that is expected to end by itself; gives its exit code and what it wrote to stderr.</summary>
    public static async Task<(int ExitCode, string Error)> RunToEndAsync(IReadOnlyDictionary<string, string> settings, TimeSpan limit)
    {
        var errors = Path.GetTempFileName();
        try
        {
            using var process = Spawn("all", settings, """exec "$@" >/dev/null 2>"$SENTIRIC_LOG" """, errors);
            using var watcher = EndWithThisProcess(process.Id);
            await WaitForEndAsync(process, limit, "a host with a bad start to give up").ConfigureAwait(false);
            watcher.StandardInput.Close();
            return (process.ExitCode, await File.ReadAllTextAsync(errors).ConfigureAwait(false));
        }
        finally
        {
            File.Delete(errors);
        }
    }

    public async Task WaitReadyAsync(Uri url, TimeSpan limit)
    {
        using var http = new HttpClient { BaseAddress = url, Timeout = TimeSpan.FromSeconds(5) };
        await Until.AsksAsync(
            $"GET {url}health/ready to say 200",
            async () => process.HasExited
                ? throw new InvalidOperationException($"The host ended with {process.ExitCode} while starting. The end of its log:\n{Tail()}")
                : await StatusAsync(http).ConfigureAwait(false) == HttpStatusCode.OK ? url : null,
            limit, Tail).ConfigureAwait(false);
    }

    public async Task KillAsync()
    {
        if (!process.HasExited)
        {
            process.Kill();
            await WaitForEndAsync(process, StopLimit, "the host to die of SIGKILL").ConfigureAwait(false);
        }

        watcher.StandardInput.Close();
    }

    /// <summary>SIGTERM; gives the exit code.</summary>
    public async Task<int> StopAsync()
    {
        using (var kill = Process.Start("kill", ["-TERM", process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]))
        {
            await kill.WaitForExitAsync().ConfigureAwait(false);
        }

        await WaitForEndAsync(process, StopLimit, "the host to stop after SIGTERM").ConfigureAwait(false);
        watcher.StandardInput.Close();
        return process.ExitCode;
    }

    /// <summary>How many of the process's open files are UDP sockets (/proc/PID/fd against /proc/net/udp and udp6).</summary>
    public int UdpSockets()
    {
        var inodes = new[] { "/proc/net/udp", "/proc/net/udp6" }
            .SelectMany(f => File.ReadAllLines(f).Skip(1))
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[9])
            .ToHashSet(StringComparer.Ordinal);
        return Directory.EnumerateFiles($"/proc/{process.Id}/fd")
            .Select(fd => new FileInfo(fd).LinkTarget ?? "")
            .Count(target => target.StartsWith("socket:[", StringComparison.Ordinal) && inodes.Contains(target[8..^1]));
    }

    /// <summary>A file that another process still writes.</summary>
    public static string ReadShared(string path)
    {
        if (!File.Exists(path))
        {
            return "";
        }

        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    private string Tail() => ReadShared(logFile) is { Length: > LogTail } long_ ? long_[^LogTail..] : ReadShared(logFile);

    // The shell becomes the host: one process, whose output the system writes to the file.
    private static Process Spawn(string role, IReadOnlyDictionary<string, string> settings, string script, string logFile)
    {
        if (!File.Exists(Host))
        {
            throw new InvalidOperationException($"{Host} is not there: the test project must reference Sentiric.Host.");
        }

        var start = new ProcessStartInfo("/bin/sh", ["-c", script, "sh", DotNet(), Host, "--roles", role]) { WorkingDirectory = Path.GetTempPath() };
        foreach (var name in start.Environment.Keys.Where(IsASetting).ToList())
        {
            start.Environment.Remove(name);
        }

        foreach (var (name, value) in settings)
        {
            start.Environment[name] = value;
        }

        start.Environment["SENTIRIC_LOG"] = logFile;
        start.Environment["DOTNET_TieredPGO"] = "0"; // a host of a test lives a minute: counting its branches costs a quarter of its start and gains nothing
        start.Environment["ASPNETCORE_ENVIRONMENT"] = "Production";
        return Process.Start(start) ?? throw new InvalidOperationException("The host was not started.");
    }

    // A setting of the shell that runs the tests must not reach the host by accident.
    private static bool IsASetting(string name) =>
        name.Contains("__", StringComparison.Ordinal) || name is "Urls" or "ASPNETCORE_URLS" or "DOTNET_URLS";

    private static string DotNet() =>
        System.Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") is { Length: > 0 } path && File.Exists(path) ? path : "dotnet";

    /// <summary>However the test process ends, even killed, the pipe closes and the shell ends the host.</summary>
    private static Process EndWithThisProcess(int pid) =>
        Process.Start(new ProcessStartInfo("/bin/sh", ["-c", $"cat >/dev/null; kill -9 {pid} 2>/dev/null"]) { RedirectStandardInput = true })
        ?? throw new InvalidOperationException("/bin/sh was not started.");

    private static async Task WaitForEndAsync(Process process, TimeSpan limit, string what)
    {
        using var timeout = new CancellationTokenSource(limit);
        try
        {
            await process.WaitForExitAsync(timeout.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            throw new TimeoutException($"Waited {limit.TotalSeconds} s for {what}.");
        }
    }

    private static async Task<HttpStatusCode?> StatusAsync(HttpClient http)
    {
        try
        {
            using var response = await http.GetAsync("health/ready").ConfigureAwait(false);
            return response.StatusCode;
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
        {
            return null;
        }
    }
}
