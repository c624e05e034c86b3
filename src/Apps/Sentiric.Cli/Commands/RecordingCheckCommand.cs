using Sentiric.Cli.Show;
using Sentiric.Contracts.Queries;

namespace Sentiric.Cli.Commands;

/// <summary>sentiric calls recording ID --verify: exit 0 when every segment is as it was recorded, 1 when one is not.</summary>
internal static class RecordingCheckCommand
{
    private const int HashShown = 16;

    public static async Task<int> RunAsync(Session session, CancellationToken ct)
    {
        var path = $"v1/calls/{session.Arguments.Id(1, "call id")}/recording/segments";
        session.Arguments.NoMoreThan(2);
        var check = await session.Api.GetAsync<RecordingVerdict>(path, ct);
        if (session.Json)
        {
            await session.PrintJsonAsync(path, ct);
            return CodeOf(check);
        }

        Table.Print(session.Terminal, ["segment", "from", "length", "bytes", "SHA-256", ""],
        [
            .. check.Segments.Select(s => (IReadOnlyList<string>)
                [$"{s.Number}", Words.Seconds(s.FromMs), Words.Seconds(s.DurationMs), $"{s.Offset}+{s.Bytes}", s.Sha256[..HashShown], Verdict(s)]),
        ]);
        session.Terminal.Line();
        var damaged = check.Segments.Where(s => !s.Intact).Select(s => $"{s.Number}").ToList();
        session.Terminal.Line(damaged.Count == 0
            ? $"{check.Uri}: all {check.Segments.Count} segments are as they were recorded."
            : $"{check.Uri}: DAMAGED: segment {string.Join(", ", damaged)} of {check.Segments.Count}.");
        return CodeOf(check);
    }

    private static int CodeOf(RecordingVerdict check) => check.Intact ? Cli.Ok : Cli.Failed;

    private static string Verdict(RecordingSegmentCheck segment) => segment switch
    {
        { Intact: true } => "as recorded",
        { Found: { } found } when found == segment.Sha256 => "does not follow the one before",
        { Found: { } found } => $"CHANGED: now {found[..HashShown]}",
        { Found: null } => "missing: the file ends before",
    };
}
