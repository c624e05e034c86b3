using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;

namespace Sentiric.EventStore.Tests.Postgres;

/// <summary>One statement as PostgreSQL ran it: its text and how it reached each table ("Index Scan using x on y").</summary>
internal sealed record ExplainedStatement(string Sql, IReadOnlyList<string> Access);

/// <summary>
/// Hears the plans of all statements that a data source runs: auto_explain writes each as a notice to the session that ran it, and Npgsql logs notices.
/// So the plans are those of the real statements, with their real parameters, session settings and prepared plans.
/// </summary>
internal sealed partial class PlanLog : ILoggerFactory, ILogger
{
    /// <summary>What the sessions must be started with; needs a superuser.</summary>
    public const string SessionOptions =
        "-c session_preload_libraries=auto_explain -c auto_explain.log_min_duration=0 -c auto_explain.log_nested_statements=on -c client_min_messages=log";

    private readonly ConcurrentQueue<string> _notices = new();

    /// <summary>What was run since the last call, each statement once, in order.</summary>
    public IReadOnlyList<ExplainedStatement> Take()
    {
        var statements = new List<ExplainedStatement>();
        while (_notices.TryDequeue(out var notice))
        {
            var parts = PlanStart().Split(notice, 2);
            if (parts.Length < 2) continue;
            var text = parts[1].TrimStart();
            var plan = FirstNode().Match(text);
            if (!plan.Success) continue;
            var access = TableAccess().Matches(text[plan.Index..]).Select(m => m.Value.Trim()).Distinct().ToList();
            var sql = Spaces().Replace(text[..plan.Index], " ").Trim();
            if (IsTheDrivers(sql) || IsWakeUp(sql)) continue;
            if (statements.All(s => s.Sql != sql || !s.Access.SequenceEqual(access))) statements.Add(new ExplainedStatement(sql, access));
        }

        return statements;
    }

    // Npgsql asks for the types when it first connects, and resets a session that it lends again.
    private static bool IsTheDrivers(string sql) =>
        sql.StartsWith("SELECT version(); SELECT ns.nspname", StringComparison.Ordinal) || sql.StartsWith("SET SESSION AUTHORIZATION DEFAULT", StringComparison.Ordinal);

    // Sent beside the appends, on another connection and at its own times; it reads no table.
    private static bool IsWakeUp(string sql) => sql.Contains("pg_notify(", StringComparison.Ordinal);

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public void Dispose() => _notices.Clear();

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        var text = formatter(state, exception);
        if (text.Contains("Query Text:", StringComparison.Ordinal)) _notices.Enqueue(text);
    }

    [GeneratedRegex(@"Query Text:")]
    private static partial Regex PlanStart();

    // The first line of a plan: a node with its cost, at the beginning of a line.
    [GeneratedRegex(@"^[A-Z][A-Za-z ]*(using \S+ )?(on \S+ ?\S*)? *\(cost=", RegexOptions.Multiline)]
    private static partial Regex FirstNode();

    [GeneratedRegex(@"((Parallel )?Seq Scan on \w+|Index (Only )?Scan (Backward )?using \w+ on \w+|Bitmap Index Scan on \w+|Bitmap Heap Scan on \w+|Insert on \w+|Update on \w+|Delete on \w+|Conflict Arbiter Indexes: [\w, ]+)")]
    private static partial Regex TableAccess();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
