using System.Diagnostics;

namespace Sentiric.Testing.Postgres;

/// <summary>Where the client and server programs of PostgreSQL lie.</summary>
public static class PostgresPrograms
{
    private const string DebianRoot = "/usr/lib/postgresql";

    // The set-up names programs that it unpacked without installing them, and the folders of their libraries.
    private const string FolderVariable = "SENTIRIC_PG_BIN";
    private const string LibrariesVariable = "SENTIRIC_PG_LIBRARIES";

    /// <summary>The program where the set-up says, else the newest installed server's, else the one on the path.</summary>
    public static string Find(string program)
    {
        if (Environment.GetEnvironmentVariable(FolderVariable) is { Length: > 0 } folder && File.Exists(Path.Combine(folder, program)))
            return Path.Combine(folder, program);
        var candidates = Directory.Exists(DebianRoot)
            ? Directory.GetDirectories(DebianRoot).OrderDescending(StringComparer.Ordinal).Select(d => Path.Combine(d, "bin", program))
            : [];
        var onPath = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Select(d => Path.Combine(d, program));
        return candidates.Concat(onPath).FirstOrDefault(File.Exists)
            ?? throw new InvalidOperationException($"'{program}' was not found. Install PostgreSQL or set {PostgresInstance.Variable} to a server's connection string.");
    }

    /// <summary>What a program that was not installed needs to find its libraries.</summary>
    public static void Prepare(ProcessStartInfo start)
    {
        if (Environment.GetEnvironmentVariable(LibrariesVariable) is { Length: > 0 } libraries) start.Environment["LD_LIBRARY_PATH"] = libraries;
    }

    public static async Task RunAsync(ProcessStartInfo start, TimeSpan limit)
    {
        Prepare(start);
        start.RedirectStandardError = true;
        using var process = Process.Start(start) ?? throw new InvalidOperationException($"'{start.FileName}' did not start.");
        using var timeout = new CancellationTokenSource(limit);
        // The started server inherits the pipe, so its end is no sign that the program is through.
        await process.WaitForExitAsync(timeout.Token).ConfigureAwait(false);
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"'{start.FileName} {string.Join(' ', start.ArgumentList)}' failed: {await process.StandardError.ReadToEndAsync(timeout.Token).ConfigureAwait(false)}");
    }
}
