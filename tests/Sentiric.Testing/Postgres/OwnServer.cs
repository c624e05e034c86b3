using System.Diagnostics;
using System.Globalization;
using Sentiric.Testing.Platform;

namespace Sentiric.Testing.Postgres;

/// <summary>
/// A PostgreSQL of one test that may be killed and started again: it waits for the disk (fsync), so that what it has acknowledged must survive.
/// </summary>
public sealed class OwnServer : IAsyncDisposable
{
    private const string User = "sentiric";
    private const int MaxStarts = 60;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan BetweenStarts = TimeSpan.FromMilliseconds(50);

    private readonly string _folder;
    private readonly string _options;
    private readonly Process _watcher;

    private OwnServer(string folder, int port, string options, Process watcher) => (_folder, Port, _options, _watcher) = (folder, port, options, watcher);

    public int Port { get; }

    /// <summary>A folder that the server's user may write, beside its data.</summary>
    public string Folder => _folder;

    public string ConnectionString => string.Create(
        CultureInfo.InvariantCulture, $"Host=127.0.0.1;Port={Port};Username={User};Database=postgres;SSL Mode=Disable;GSS Encryption Mode=Disable");

    private string Data => Path.Combine(_folder, "data");

    /// <param name="settings">Further settings, as <c>-c name=value</c>.</param>
    public static async Task<OwnServer> StartAsync(string settings = "")
    {
        var folder = Directory.CreateTempSubdirectory("sentiric-own-pg-").FullName;
        await PrivateServer.HandOverAsync(folder, Limit).ConfigureAwait(false);
        var data = Path.Combine(folder, "data");
        await PostgresPrograms.RunAsync(
            PrivateServer.AsServer("initdb", "-D", data, "-U", User, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"), Limit).ConfigureAwait(false);
        var port = FreePorts.Next();
        var options = string.Create(
            CultureInfo.InvariantCulture,
            $"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=on -c max_wal_size=256MB -c shared_buffers=32MB -c log_min_messages=fatal {settings}");
        var server = new OwnServer(folder, port, options, PrivateServer.StopWithThisProcess(folder, data));
        await server.StartAgainAsync().ConfigureAwait(false);
        return server;
    }

    /// <summary>SIGKILL for the first process: no shutdown, no word to anyone. Its children end by themselves.</summary>
    public void Kill()
    {
        using var postmaster = Process.GetProcessById(Postmaster());
        postmaster.Kill();
        postmaster.WaitForExit(Limit);
    }

    /// <summary>All children end at once without writing anything down; the next start recovers from the log.</summary>
    public Task StopImmediatelyAsync() => PostgresPrograms.RunAsync(PrivateServer.AsServer("pg_ctl", "-D", Data, "-m", "immediate", "-w", "stop"), Limit);

    /// <summary>Starts, or starts again after a kill: as long as a child of the dead server lives, a new one refuses to start.</summary>
    public async Task StartAgainAsync()
    {
        using var timer = new PeriodicTimer(BetweenStarts);
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await PostgresPrograms.RunAsync(PrivateServer.AsServer("pg_ctl", "-D", Data, "-w", "-l", Path.Combine(_folder, "log"), "-o", _options, "start"), Limit)
                    .ConfigureAwait(false);
                return;
            }
            catch (InvalidOperationException) when (attempt < MaxStarts)
            {
                await timer.WaitForNextTickAsync().ConfigureAwait(false);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        _watcher.StandardInput.Close();
        await _watcher.WaitForExitAsync().ConfigureAwait(false);
        _watcher.Dispose();
    }

    private int Postmaster() => int.Parse(File.ReadLines(Path.Combine(Data, "postmaster.pid")).First(), CultureInfo.InvariantCulture);
}
