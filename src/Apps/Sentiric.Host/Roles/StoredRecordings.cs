using Sentiric.Calls.Media;
using Sentiric.Contracts;
using Sentiric.Contracts.Services;
using Sentiric.Media;
using Sentiric.Read.Calls;

namespace Sentiric.Host.Roles;

/// <summary>Recordings in the folder or in the bucket, sealed or not, as they are handed out.</summary>
internal sealed class StoredRecordings(RecordingPlace place, IRecordingKeys keys) : IRecordingFiles
{
    public async ValueTask<Result<RecordingAudio>> OpenAsync(string tenant, Guid callId, string uri, CancellationToken ct)
    {
        try
        {
            return await FindAsync(uri, ct) is { } file ? await UnsealAsync(file, tenant, callId, uri, ct) : RecordingFolder.Missing(uri);
        }
        catch (S3Exception e)
        {
            return new Refusal("recording.unavailable", e.Message);
        }
    }

    public async ValueTask<Result<Stream>> OpenStoredAsync(string uri, CancellationToken ct)
    {
        try
        {
            return await FindAsync(uri, ct) is { } file ? file : RecordingFolder.Missing(uri);
        }
        catch (S3Exception e)
        {
            return new Refusal("recording.unavailable", e.Message);
        }
    }

    private async ValueTask<Result<RecordingAudio>> UnsealAsync(FileStream file, string tenant, Guid callId, string uri, CancellationToken ct)
    {
        var mediaType = RecordingShelf.FormatOf(uri).MediaType();
        if (!uri.EndsWith(RecordingShelf.SealedSuffix, StringComparison.Ordinal))
        {
            return new RecordingAudio(file, mediaType);
        }

        var refusal = new Refusal("recording.tampered", $"{uri} is not a sealed recording.");
        if (SealedRecording.Look(file) is { } info)
        {
            var opened = await keys.OpenAsync(new(tenant, callId, uri, info.Envelope), ct);
            if (opened.Ok)
            {
                return Open(file, opened.Value.Key, mediaType);
            }

            refusal = opened.Refusal!;
        }

        await file.DisposeAsync();
        return refusal;
    }

    private static Result<RecordingAudio> Open(FileStream file, byte[] key, string mediaType)
    {
        try
        {
            return new RecordingAudio(SealedRecording.Open(file, key).Content, mediaType);
        }
        catch (RecordingTamperedException e)
        {
            file.Dispose();
            return new Refusal("recording.tampered", e.Message);
        }
    }

    // What is not in the folder any more is in the bucket; what comes from there is kept only while it is read.
    private async ValueTask<FileStream?> FindAsync(string uri, CancellationToken ct)
    {
        if (RecordingFolder.PathOf(place.Folder, uri) is not { } path)
        {
            return null;
        }

        if (File.Exists(path))
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        }

        if (place.Bucket is not { } bucket)
        {
            return null;
        }

        var copy = new FileStream(Path.GetTempFileName(), FileMode.Create, FileAccess.ReadWrite, FileShare.None, 64 * 1024, FileOptions.DeleteOnClose);
        if (await bucket.GetAsync(uri, copy, ct))
        {
            copy.Position = 0;
            return copy;
        }

        await copy.DisposeAsync();
        return null;
    }
}
