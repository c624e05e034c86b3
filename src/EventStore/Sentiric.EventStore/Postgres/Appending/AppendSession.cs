namespace Sentiric.EventStore;

/// <summary>
/// The settings of a session that appends. A plan made while the tables were empty would scan them for ever: only index paths are left to choose from.
/// Measured: with a plan of the first second, eight writers cost the server four times the processor time per event.
/// </summary>
internal static class AppendSession
{
    /// <summary>For a connection that does nothing else.</summary>
    public static string Settings(TimeSpan lockTimeout) =>
        "set enable_seqscan = off; set enable_hashjoin = off; set enable_mergejoin = off; set jit = off; set plan_cache_mode = force_generic_plan; "
        + FormattableString.Invariant($"set lock_timeout = {(long)lockTimeout.TotalMilliseconds}");

    /// <summary>For the transaction under way on a borrowed connection; one statement.</summary>
    public static string Local(TimeSpan lockTimeout) =>
        "select set_config(n, v, true) from (values ('enable_seqscan', 'off'), ('enable_hashjoin', 'off'), ('enable_mergejoin', 'off'), ('jit', 'off'), "
        + FormattableString.Invariant($"('lock_timeout', '{(long)lockTimeout.TotalMilliseconds}')) as s(n, v)");
}
