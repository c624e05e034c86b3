using Npgsql;

namespace Sentiric.EventStore;

/// <summary>How many connections of a pool one user of it may keep for itself: a small pool is needed by the others.</summary>
internal static class PoolShare
{
    private const int PerKept = 8;

    public static int Of(NpgsqlDataSource source, int wanted) =>
        Math.Min(wanted, new NpgsqlConnectionStringBuilder(source.ConnectionString).MaxPoolSize / PerKept);
}
