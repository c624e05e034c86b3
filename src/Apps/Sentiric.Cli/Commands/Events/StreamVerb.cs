using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Sentiric.Cli.Show;
using Sentiric.Contracts;
using Sentiric.Contracts.Queries;

namespace Sentiric.Cli.Commands.Events;

/// <summary>One stream, event by event, with its data; as it stood at a version or a moment when asked.</summary>
internal static class StreamVerb
{
    private static readonly JsonSerializerOptions Pretty = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static EventsVerb Verb { get; } = new(
        "stream",
        """
        sentiric events stream ID [--version N] [--at TIME] [--from VERSION] [--brief]
        One stream: versions, times, types, data and metadata. --version and --at show it as it stood then. --brief leaves the data out.
        """,
        ["--version", "--at", "--from"], ["--brief"], RunAsync);

    private static async Task<int> RunAsync(Session session, CancellationToken ct)
    {
        var stream = session.Arguments.Word(1, "the id of a stream");
        session.Arguments.NoMoreThan(2);
        var from = session.Arguments.Position("--from");
        StreamPage? page = null;
        do
        {
            page = await session.Api.GetAsync<StreamPage>(Path(session, stream, from), ct);
            if (session.Json) foreach (var entry in page.Events) session.Terminal.Line(JsonSerializer.Serialize(entry, Wire.Json));
            else Print(session, page, first: from == session.Arguments.Position("--from"));
            from = page.Next?.ToString(CultureInfo.InvariantCulture);
        }
        while (page.Next is not null);
        return Cli.Ok;
    }

    private static string Path(Session session, string stream, string? from) => Query.Path(
        $"v1/events/streams/{Uri.EscapeDataString(stream)}", ("from", from), ("version", session.Arguments.Position("--version")), ("at", Moments.Option(session, "--at")));

    private static void Print(Session session, StreamPage page, bool first)
    {
        var terminal = session.Terminal;
        if (first) foreach (var line in Table.Pairs(Facts(page))) terminal.Line(line);
        foreach (var entry in page.Events)
        {
            terminal.Line();
            terminal.Line($"{terminal.Paint($"{entry.Version,4}", Colour.Bold)}  {terminal.Paint(entry.Type, Colour.Cyan)}  {Words.Precise(entry.RecordedAt)}  {terminal.Paint($"position {entry.Position}", Colour.Grey)}");
            if (Metadata(entry) is { Length: > 0 } metadata) terminal.Line(terminal.Paint("      " + metadata, Colour.Grey));
            if (!session.Arguments.Has("--brief")) foreach (var line in JsonSerializer.Serialize(entry.Data, Pretty).ReplaceLineEndings("\n").Split('\n')) terminal.Line("      " + line);
        }
    }

    private static IReadOnlyList<(string, string)> Facts(StreamPage page) =>
    [
        ("stream", page.Stream), ("tenant", page.Tenant), ("type", page.AggregateType ?? "-"),
        ("stands at", $"version {page.Version}{(page.Archived ? ", archived" : "")}"),
        ("started", Words.Precise(page.Created)), ("last change", Words.Precise(page.LastChanged)),
    ];

    private static string Metadata(LogEntry entry)
    {
        var pairs = new List<string> { $"id {entry.Id}" };
        if (entry.StoredType.Replace('_', '.') != entry.Type.Replace('_', '.')) pairs.Add($"stored as {entry.StoredType}");
        if (entry.OccurredAt != entry.RecordedAt) pairs.Add($"occurred {Words.Precise(entry.OccurredAt)}");
        if (entry.Actor is { } actor) pairs.Add($"by {actor}");
        if (entry.CorrelationId is { } correlation) pairs.Add($"correlation {correlation}");
        if (entry.CausationId is { } causation) pairs.Add($"caused by {causation}");
        pairs.AddRange((entry.Headers ?? new Dictionary<string, string>()).Select(h => $"{h.Key} {h.Value}"));
        return string.Join(", ", pairs);
    }
}
