using System.Globalization;

namespace Sentiric.EventStore;

/// <summary>
/// The export file: lines of JSON (NDJSON, UTF-8, \n), gzip or not.
/// <code>
///   {"format":"eventstore-export","version":1,...}     what was asked for
///   {"tenant":...,"stream":...,"version":1,...}        one line an event, in the order of the log, without the position: another store gives others
///   {"events":2,"sha256":"..."}                        how many events, and the hash of every byte before this line
/// </code>
/// The same events give the same bytes, whichever store they come from: there is no position, no time of export and no name of a machine in it.
/// </summary>
public static class ExportFile
{
    public const string Format = "eventstore-export";
    public const int Version = 1;
    public const string MediaType = "application/x-ndjson";

    /// <summary>A line holds one event with its metadata; jsonb's spaces make it longer than what was stored.</summary>
    public const int MaxLineBytes = 4 * EventStoreLimits.MaxEventBytes;

    /// <summary>Header by which an imported event is told from one that happened here; an export leaves it out.</summary>
    public const string ImportedHeader = "imported";
}

/// <summary>What of the log is exported. Without a tenant: every tenant; a stream needs its tenant. <see cref="Until"/> is the first moment that is left out.</summary>
public sealed record ExportScope(string? Tenant = null, string? Stream = null, DateTimeOffset? Since = null, DateTimeOffset? Until = null)
{
    public static ExportScope Everything { get; } = new();
}

/// <summary>An event by its place in its stream, which is the same in every store: an export goes on behind it.</summary>
public readonly record struct ExportPlace(string Tenant, string Stream, long Version);

/// <summary>How far an export came. <see cref="Target"/> is the high-water mark at its start.</summary>
public readonly record struct ExportTotals(long Events, long Position, long Target);

/// <summary>The file is not an export, is damaged or was cut off; <see cref="Code"/> is stable, the message says what to do.</summary>
public sealed class ExportFileException(string code, string message, Exception? inner = null) : EventStoreException(message, inner)
{
    /// <summary>not_an_export, version_unknown, line_unreadable, line_too_long, incomplete, damaged.</summary>
    public string Code { get; } = code;

    internal static ExportFileException At(long line, string why, Exception? inner = null) =>
        new("line_unreadable", $"Line {line.ToString(CultureInfo.InvariantCulture)} cannot be read as an event: {why}", inner);
}
