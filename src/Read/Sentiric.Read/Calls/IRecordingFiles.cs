using Sentiric.Contracts;

namespace Sentiric.Read.Calls;

/// <summary>The recordings themselves, wherever they lie and however they are closed.</summary>
public interface IRecordingFiles
{
    /// <summary>
    /// The audio file in the clear; the stream can be wound and belongs to the caller. Refusals: <c>recording.unknown</c>, <c>recording.erased</c>,
    /// <c>recording.tampered</c>, <c>recording.unavailable</c>.
    /// </summary>
    ValueTask<Result<RecordingAudio>> OpenAsync(string tenant, Guid callId, string uri, CancellationToken ct);

    /// <summary>The file as it lies there, sealed or not; it can be wound. Refusals: <c>recording.unknown</c>, <c>recording.unavailable</c>.</summary>
    ValueTask<Result<Stream>> OpenStoredAsync(string uri, CancellationToken ct);
}

/// <param name="MediaType">audio/wav or audio/flac.</param>
public sealed record RecordingAudio(Stream Content, string MediaType);

/// <summary>Recordings in a folder, in the clear.</summary>
public sealed class RecordingFolder(string folder) : IRecordingFiles
{
    public ValueTask<Result<RecordingAudio>> OpenAsync(string tenant, Guid callId, string uri, CancellationToken ct) =>
        ValueTask.FromResult<Result<RecordingAudio>>(PathOf(folder, uri) is { } path && File.Exists(path)
            ? new RecordingAudio(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite), MediaTypeOf(uri))
            : Missing(uri));

    public ValueTask<Result<Stream>> OpenStoredAsync(string uri, CancellationToken ct) =>
        ValueTask.FromResult<Result<Stream>>(PathOf(folder, uri) is { } path && File.Exists(path)
            ? new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite)
            : Missing(uri));

    /// <summary>The path was written by the media role; it still must not lead out of the folder: null then.</summary>
    public static string? PathOf(string folder, string uri)
    {
        var root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        var path = Path.GetFullPath(Path.Combine(root, uri));
        return path.StartsWith(root + Path.DirectorySeparatorChar, StringComparison.Ordinal) ? path : null;
    }

    public static Refusal Missing(string uri) => new("recording.unknown", $"The recording {uri} is not in the recording folder of this host.");

    private static string MediaTypeOf(string uri) => uri.EndsWith(".flac", StringComparison.Ordinal) ? "audio/flac" : "audio/wav";
}
