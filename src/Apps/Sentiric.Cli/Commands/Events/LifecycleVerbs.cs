using Sentiric.Cli.Show;
using Sentiric.Contracts.Queries;

namespace Sentiric.Cli.Commands.Events;

/// <summary>The life of one stream beside its events: closed, opened again, shortened for good, and what was deleted of it.</summary>
internal static class LifecycleVerbs
{
    public static EventsVerb Archive { get; } = new(
        "archive",
        """
        sentiric events archive STREAM     closes a stream: nothing can be appended any more
        sentiric events unarchive STREAM   opens it again
        """,
        [], [], (session, ct) => SwitchAsync(session, "archive", "closed", ct));

    // The text above tells both.
    public static EventsVerb Unarchive { get; } = new("unarchive", "", [], [], (session, ct) => SwitchAsync(session, "unarchive", "open", ct));

    public static EventsVerb Truncate { get; } = new(
        "truncate",
        """
        sentiric events truncate STREAM --before VERSION --reason WHY [--even-unread]
        Deletes the events before a version for good; the record of it stays, and the audit trail knows it. The last event always stays.
        --even-unread: although a read model or subscription has not read them.
        """,
        ["--before", "--reason"], ["--even-unread"], TruncateAsync);

    public static EventsVerb Truncations { get; } = new(
        "truncations",
        """
        sentiric events truncations STREAM
        What was deleted of a stream, when, by whom, why, the hash of what it was, and which key ordered it.
        """,
        [], [], ListAsync);

    private sealed record Wish(long BeforeVersion, string Reason, bool EvenUnread);

    private static async Task<int> SwitchAsync(Session session, string change, string state, CancellationToken ct)
    {
        var stream = Stream(session);
        await session.Api.PostAsync(Path(stream, change), ct);
        session.Terminal.Line($"{stream} is {state}");
        return Cli.Ok;
    }

    private static async Task<int> TruncateAsync(Session session, CancellationToken ct)
    {
        var (stream, told) = (Stream(session), session.Arguments);
        var wish = new Wish(told.Number("--before", 0, 1, int.MaxValue), told.Needed("--reason"), told.Has("--even-unread"));
        if (wish.BeforeVersion == 0) throw new UsageException("--before is missing.");
        var done = await session.Api.PostAsync<TruncationReply>(Path(stream, "truncate"), wish, ct);
        if (session.Json) return session.PrintJson(done);
        Print(session, done);
        return Cli.Ok;
    }

    private static async Task<int> ListAsync(Session session, CancellationToken ct)
    {
        var stream = Stream(session);
        if (session.Json) return await session.PrintJsonAsync(Path(stream, "truncations"), ct);
        var all = await session.Api.GetAsync<IReadOnlyList<TruncationReply>>(Path(stream, "truncations"), ct);
        foreach (var one in all) Print(session, one);
        if (all.Count == 0) session.Terminal.Line($"nothing was deleted of {stream}");
        return Cli.Ok;
    }

    private static void Print(Session session, TruncationReply gone) => session.Terminal.Line(FormattableString.Invariant(
        $"{Words.Precise(gone.At)}  {Words.Grouped(gone.Events)} events before version {gone.BeforeVersion} deleted by {gone.Actor ?? "nobody named"}: {gone.Why}  sha256 {gone.Sha256}")
        + (gone.Order is { } order ? $"  ({Orders.Signed(gone.SignedAt)}{Orders.Clause(order, gone.OrderedBy)})" : ""));

    private static string Stream(Session session)
    {
        var stream = session.Arguments.Word(1, "the id of a stream");
        session.Arguments.NoMoreThan(2);
        return stream;
    }

    private static string Path(string stream, string change) => $"v1/events/streams/{Uri.EscapeDataString(stream)}/{change}";
}
