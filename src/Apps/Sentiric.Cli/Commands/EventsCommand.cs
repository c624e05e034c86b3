using Sentiric.Cli.Commands.Events;

namespace Sentiric.Cli.Commands;

/// <summary>The event store as an operator sees it; one file per verb.</summary>
internal static class EventsCommand
{
    /// <summary>Every verb there is.</summary>
    public static readonly IReadOnlyList<EventsVerb> Verbs =
    [
        TailVerb.Verb, StreamVerb.Verb, StatsVerb.Verb, ExportVerb.Verb, ImportVerb.Verb, VerifyVerb.Verb, ProveVerb.Verb, VerifyProofVerb.Verb, CheckpointsVerb.Verb,
        LifecycleVerbs.Archive, LifecycleVerbs.Unarchive, LifecycleVerbs.Truncate, LifecycleVerbs.Truncations, FilesVerb.Verb,
    ];

    public static Command Command { get; } = new(
        "events", "follow, inspect, measure, export, import, verify, prove, close, shorten and put away what is stored",
        string.Join("\n\n", Verbs.Select(v => v.Usage).Where(usage => usage.Length > 0)),
        [.. Verbs.SelectMany(v => v.ValueOptions).Distinct()], [.. Verbs.SelectMany(v => v.Flags).Distinct()], RunAsync);

    private static async Task<int> RunAsync(Session session, CancellationToken ct)
    {
        var name = session.Arguments.Word(0, string.Join(", ", Verbs.Select(v => v.Name)));
        var verb = Verbs.FirstOrDefault(v => v.Name == name) ?? throw new UsageException($"events {name}: there is no such command.");
        session.Arguments.OnlyKnows([.. verb.ValueOptions, .. verb.Flags], $"events {name}");
        return await verb.Run(session, ct);
    }
}

/// <summary>One thing that can be done with the log: "sentiric events NAME". The options that it does not name are refused.</summary>
internal sealed record EventsVerb(
    string Name, string Usage, IReadOnlyList<string> ValueOptions, IReadOnlyList<string> Flags, Func<Session, CancellationToken, Task<int>> Run);
