using Sentiric.Contracts.Events;
using Sentiric.Contracts.Queries;

namespace Sentiric.Cli.Show;

/// <summary>Entries of the log as lines: the story of one call, or time, position, tenant, stream and what happened.</summary>
internal sealed class LogLines(Terminal terminal, bool story)
{
    private const int PositionWidth = 9, StreamWidth = 26, TypeWidth = 28, Shortened = 8, MaxData = 120;
    private readonly EventLines calls = new(terminal, withCall: false);

    public IReadOnlyList<string> Of(LogEntry entry)
    {
        var envelope = new EventEnvelope(
            entry.Id, entry.Type, 1, entry.Stream, entry.Position, entry.OccurredAt, entry.Tenant, Streams.CallIdOf(entry.Stream), entry.CorrelationId,
            entry.CausationId, entry.Actor, entry.Data);
        if (story) return calls.Of(envelope);
        var place = $"{Words.ClockTime(entry.RecordedAt)} {entry.Position,PositionWidth}  {entry.Tenant}  {Short(entry.Stream).PadRight(StreamWidth)} {"v" + entry.Version,5}  ";
        return [terminal.Paint(place, Colour.Grey) + terminal.Paint(entry.Type.PadRight(TypeWidth), Colour.Cyan) + " " + (calls.Summary(envelope) ?? Data(entry))];
    }

    private static string Data(LogEntry entry)
    {
        var json = entry.Data.GetRawText();
        return json.Length <= MaxData ? json : json[..(MaxData - 1)] + "…";
    }

    // "call-01980000-0000-7000-8000-0000000abcde" is told from the next by its end.
    private static string Short(string stream)
    {
        var dash = stream.IndexOf('-', StringComparison.Ordinal);
        return dash > 0 && Guid.TryParse(stream.AsSpan(dash + 1), out _) ? $"{stream[..(dash + 1)]}…{stream[^Shortened..]}" : stream;
    }
}
