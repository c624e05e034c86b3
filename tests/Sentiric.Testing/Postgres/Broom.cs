using System.Diagnostics;
using System.Globalization;
using Npgsql;

namespace Sentiric.Testing.Postgres;

/// <summary>
/// A shell that reads from this process: however the test process ends, even killed, the pipe closes and the shell has the server remove every
/// database of this process that is still there.
/// </summary>
internal sealed class Broom
{
    private readonly Process _shell;

    private Broom(Process shell) => _shell = shell;

    /// <summary>Databases whose name begins with <paramref name="prefix"/> are this process's own.</summary>
    public static Broom Start(string address, string prefix)
    {
        var server = new NpgsqlConnectionStringBuilder(address);
        var sweep = $"select format('drop database if exists %I with (force)', datname) from pg_database where starts_with(datname, '{prefix}') \\gexec";
        var start = new ProcessStartInfo(
            "/bin/sh",
            ["-c", "exec >/dev/null 2>&1; cat; echo \"$0\" | \"$@\"", sweep, PostgresPrograms.Find("psql"), "-X", "-q", "-d", "postgres"])
        {
            RedirectStandardInput = true,
            WorkingDirectory = Path.GetTempPath(),
        };
        start.Environment["PGHOST"] = server.Host;
        start.Environment["PGPORT"] = server.Port.ToString(CultureInfo.InvariantCulture);
        start.Environment["PGUSER"] = server.Username;
        start.Environment["PGPASSWORD"] = server.Password ?? "";
        PostgresPrograms.Prepare(start);
        return new Broom(Process.Start(start) ?? throw new InvalidOperationException("/bin/sh was not started."));
    }
}
