namespace Sentiric.EventStore;

/// <summary>Which streams leave the tables: ended, not written for <see cref="OlderThan"/>, read by every projection and subscription.</summary>
public sealed record FileArchivePolicy(TimeSpan OlderThan)
{
    /// <summary>Null: every tenant.</summary>
    public string? Tenant { get; init; }

    /// <summary>A stream has ended when it is archived, or when its last event is of one of these stored types.</summary>
    public IReadOnlyList<string> EndingEventTypes { get; init; } = [];

    /// <summary>Progress rows that need not have come past the events, for instance of a projection that is no longer run.</summary>
    public IReadOnlyList<string> IgnoredShards { get; init; } = [];

    /// <summary>1 to 10,000; one transaction and one file each.</summary>
    public int StreamsPerFile { get; init; } = 500;

    /// <summary>A stream with more events stays in the tables.</summary>
    public int MaxEventsPerStream { get; init; } = 100_000;

    /// <summary>Stop after so many streams.</summary>
    public int MaxStreams { get; init; } = int.MaxValue;
}

/// <summary>What is done so far, told after every file.</summary>
public sealed record FileArchiveProgress(long Streams, long Events, long Bytes, string File);

/// <summary>
/// The contents of one file, written beside it as <c>.manifest.json</c> after the file is safe on the disk. <see cref="Sha256"/> is that of the compressed file,
/// <see cref="ArchivedStreamEntry.Sha256"/> that of the stream's lines.
/// </summary>
public sealed record FileManifest(int Format, string File, string Sha256, long Bytes, DateTimeOffset CreatedAt, IReadOnlyList<ArchivedStreamEntry> Streams);

public sealed record ArchivedStreamEntry(
    string Tenant, string StreamId, long Version, long Events, long FirstPosition, long LastPosition, string Sha256);

/// <summary>A file of archived streams is missing, cut or changed. The message names it and what is wrong.</summary>
public sealed class ArchiveFileException(string file, string what, Exception? inner = null) : EventStoreException($"The archive file '{file}' cannot be used: {what}", inner)
{
    public string File { get; } = file;
}

[System.Text.Json.Serialization.JsonSerializable(typeof(FileManifest))]
[System.Text.Json.Serialization.JsonSourceGenerationOptions(WriteIndented = true)]
internal sealed partial class FileArchiveJson : System.Text.Json.Serialization.JsonSerializerContext;
