using System.Diagnostics;
using System.Globalization;
using Sentiric.Testing.Platform;

namespace Sentiric.Testing.Postgres;

/// <summary>A PostgreSQL of this test process alone. Its data is thrown away, so it does not wait for the disk.</summary>
internal static class PrivateServer
{
    private const string User = "sentiric";

    // Kept alive for its pipe.
    private static Process? _watcher;

    public static async Task<string> StartAsync(TimeSpan limit)
    {
        var folder = Directory.CreateTempSubdirectory("sentiric-pg-").FullName;
        await HandOverAsync(folder, limit).ConfigureAwait(false);
        var data = Path.Combine(folder, "data");
        await PostgresPrograms.RunAsync(
            AsServer("initdb", "-D", data, "-U", User, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"), limit).ConfigureAwait(false);
        var port = FreePorts.Next();
        var options = string.Create(CultureInfo.InvariantCulture,
            $"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off -c max_connections=300 -c log_min_messages=fatal");
        await PostgresPrograms.RunAsync(AsServer("pg_ctl", "-D", data, "-w", "-l", Path.Combine(folder, "log"), "-o", options, "start"), limit).ConfigureAwait(false);
        _watcher = StopWithThisProcess(folder, data);
        return string.Create(CultureInfo.InvariantCulture, $"Host=127.0.0.1;Port={port};Username={User}");
    }

    /// <summary>PostgreSQL refuses to run as root: then "nobody" runs it and owns the folder.</summary>
    internal static async Task HandOverAsync(string folder, TimeSpan limit)
    {
        if (Environment.IsPrivilegedProcess)
            await PostgresPrograms.RunAsync(new ProcessStartInfo("chown", ["nobody:nogroup", folder]), limit).ConfigureAwait(false);
    }

    internal static ProcessStartInfo AsServer(string program, params string[] arguments)
    {
        var path = PostgresPrograms.Find(program);
        // setpriv, not runuser: the latter rewrites HOME.
        var start = Environment.IsPrivilegedProcess
            ? new ProcessStartInfo("setpriv", ["--reuid=nobody", "--regid=nogroup", "--clear-groups", "--", path, .. arguments])
            : new ProcessStartInfo(path, arguments);
        start.WorkingDirectory = Path.GetTempPath();
        start.Environment["LC_ALL"] = "C.UTF-8";
        return start;
    }

    /// <summary>
    /// A shell that reads from this process: however the test process ends, even killed, the pipe closes and the shell stops the server and cleans up.
    /// </summary>
    internal static Process StopWithThisProcess(string folder, string data)
    {
        var stop = AsServer("pg_ctl", "-D", data, "-m", "immediate", "stop");
        var command = string.Join(' ', stop.ArgumentList.Prepend(stop.FileName).Select(a => $"'{a}'"));
        var start = new ProcessStartInfo("/bin/sh", ["-c", $"exec >/dev/null 2>&1; cat; {command}; rm -rf '{folder}'"])
        {
            RedirectStandardInput = true,
            WorkingDirectory = Path.GetTempPath(),
        };
        PostgresPrograms.Prepare(start);
        return Process.Start(start) ?? throw new InvalidOperationException("/bin/sh was not started.");
    }
}
