using System.Diagnostics;

namespace Sentiric.Testing.Postgres;

internal static class PostgresPrograms
{
    private const string DebianRoot = "/usr/lib/postgresql";

    /// <summary>The newest installed server's program, or the one on the path.</summary>
    public static string Find(string program)
    {
        var candidates = Directory.Exists(DebianRoot)
            ? Directory.GetDirectories(DebianRoot).OrderDescending(StringComparer.Ordinal).Select(d => Path.Combine(d, "bin", program))
            : [];
        var onPath = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Select(d => Path.Combine(d, program));
        return candidates.Concat(onPath).FirstOrDefault(File.Exists)
            ?? throw new InvalidOperationException($"'{program}' was not found. Install PostgreSQL or set {PostgresInstance.Variable} to a server's connection string.");
    }

    public static async Task RunAsync(ProcessStartInfo start, TimeSpan limit)
    {
        start.RedirectStandardError = true;
        using var process = Process.Start(start) ?? throw new InvalidOperationException($"'{start.FileName}' did not start.");
        using var timeout = new CancellationTokenSource(limit);
        // The started server inherits the pipe, so its end is no sign that the program is through.
        await process.WaitForExitAsync(timeout.Token).ConfigureAwait(false);
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"'{start.FileName} {string.Join(' ', start.ArgumentList)}' failed: {await process.StandardError.ReadToEndAsync(timeout.Token).ConfigureAwait(false)}");
    }
}
