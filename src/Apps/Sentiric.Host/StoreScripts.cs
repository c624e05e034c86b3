using Sentiric.EventStore;
using Sentiric.Host.Settings;

namespace Sentiric.Host;

/// <summary>
/// SQL for a database administrator who lets no program create tables: printed, nothing is started and no database is asked.
/// <code>
///   Sentiric.Host --print-schema    the tables of the event store
///   Sentiric.Host --print-roles     the roles migrator, writer and reader with their rights
/// </code>
/// </summary>
public static class StoreScripts
{
    /// <summary>The script that the arguments ask for; null when they ask for none.</summary>
    public static string? Of(IReadOnlyList<string> args, Func<string, string?> environment)
    {
        var (schema, roles) = (args.Contains("--print-schema"), args.Contains("--print-roles"));
        if (!schema && !roles) return null;
        var options = new StoreSettings(Setting("Store__Schema"), Setting("Store__Marten"), null, false).ToOptions();
        return schema ? PostgresSchema.Script(options) : new PostgresRoles().Script(options);

        string? Setting(string name) => environment(name) is { Length: > 0 } text ? text : null;
    }
}
