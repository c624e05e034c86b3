using System.Globalization;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.Media;

namespace Sentiric.Calls.Media;

/// <summary>Where recordings go.</summary>
/// <param name="Folder">
/// Recordings lie in it as {tenant}/{yyyy}/{MM}/{dd}/{call id}.wav (or .flac), with .sealed behind it where they are sealed; that relative path is their address.
/// </param>
/// <param name="Bucket">Finished recordings move there under their address; absent: they stay in the folder.</param>
public sealed record RecordingPlace(string Folder, RecordingFormat Format = RecordingFormat.Wav, S3Bucket? Bucket = null);

/// <summary>A recording that is about to begin.</summary>
public sealed record RecordingSlot(string Uri, string Path, RecordingFormat Format, RecordingSeal? Seal);

/// <summary>
/// Makes room for recordings, closes them with a key of their own, carries finished ones to the bucket, and makes those whole that a killed process left.
/// </summary>
public sealed partial class RecordingShelf(
    RecordingPlace place, IRecordingKeys keys, FactWriter facts, TimeProvider clock, ILogger<RecordingShelf> logger)
{
    /// <summary>What a sealed recording's address ends with.</summary>
    public const string SealedSuffix = ".sealed";

    private const string Actor = "media";
    private static readonly TimeSpan KeyPatience = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan UploadPause = TimeSpan.FromSeconds(30);

    /// <summary>Refusal <c>media.recording_failed</c>: the key cannot be had. A call that should be sealed is never recorded in the clear.</summary>
    public async ValueTask<Result<RecordingSlot>> PrepareAsync(string tenant, Guid callId, RecordedPerson? person, CancellationToken ct)
    {
        var day = clock.GetUtcNow().ToString("yyyy/MM/dd", CultureInfo.InvariantCulture);
        var open = $"{tenant}/{day}/{callId:D}.{place.Format.Extension()}";
        var issued = await IssueAsync(new(tenant, callId, open + SealedSuffix, person), ct);
        if (issued.Refusal is { Code: not "recording.no_master_key" } refusal)
        {
            return new Refusal("media.recording_failed", $"The recording cannot be sealed: {refusal.Why}");
        }

        var uri = issued.Ok ? open + SealedSuffix : open;
        return new RecordingSlot(uri, Path.Combine(place.Folder, uri), place.Format, issued.Ok ? new RecordingSeal(issued.Value.Key, issued.Value.Envelope) : null);
    }

    /// <summary>Carries a finished recording to the bucket. What cannot be carried now is carried by <see cref="KeepAsync"/>.</summary>
    public async Task CarryAsync(string uri, CancellationToken ct)
    {
        if (place.Bucket is not { } bucket)
        {
            return;
        }

        var path = Path.Combine(place.Folder, uri);
        try
        {
            // An object of that name is this recording, carried before a crash, or another one, and then it is not replaced.
            if (!await bucket.ExistsAsync(uri, ct))
            {
                await bucket.PutAsync(uri, path, ct);
            }
            else if (!await IsSameAsync(bucket, uri, path, ct))
            {
                LogOther(uri);
                return;
            }

            File.Delete(path);
        }
        catch (IOException e)
        {
            LogNotCarried(e, uri);
        }
    }

    /// <summary>At the start: makes whole what a crash left. Then, where there is a bucket, carries what could not be carried, until stopped.</summary>
    public async Task KeepAsync(CancellationToken ct)
    {
        Directory.CreateDirectory(place.Folder);
        await RepairAsync(ct);
        do
        {
            foreach (var uri in place.Bucket is null ? [] : Files())
            {
                if (IsFinished(Path.Combine(place.Folder, uri)))
                {
                    await CarryAsync(uri, ct);
                }
            }

            await Task.Delay(place.Bucket is null ? Timeout.InfiniteTimeSpan : UploadPause, clock, ct);
        }
        while (!ct.IsCancellationRequested);
    }

    /// <summary>
    /// Makes recordings whole whose process died, and tells their calls that they are available. A recording whose key cannot be had is left as it is: what is in
    /// it opens all the same. Answers how many were repaired.
    /// </summary>
    public async Task<int> RepairAsync(CancellationToken ct)
    {
        var repaired = 0;
        foreach (var uri in Files())
        {
            try
            {
                if (CallOf(uri) is not { } call || await RepairAsync(uri, call.Tenant, call.CallId, ct) is not { } result)
                {
                    continue;
                }

                repaired++;
                facts.Write(call.Tenant, Streams.Call(call.CallId), Available(uri, result), Actor);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
            {
                LogNotRepaired(e, uri);
            }
        }

        if (repaired > 0)
        {
            LogRepaired(repaired, place.Folder);
        }

        return repaired;
    }

    /// <summary>What a call says of its finished recording.</summary>
    public RecordingAvailable Available(string uri, RecordingResult file) =>
        new(clock.GetUtcNow(), uri, FormatOf(uri).Extension(), file.DurationMs, file.Bytes, file.Sha256);

    /// <summary>The audio inside, whether it is sealed or not.</summary>
    public static RecordingFormat FormatOf(string uri) =>
        uri.EndsWith(".flac", StringComparison.Ordinal) || uri.EndsWith(".flac" + SealedSuffix, StringComparison.Ordinal) ? RecordingFormat.Flac : RecordingFormat.Wav;

    /// <summary>Tenant and call of an address; null when it is not one of ours.</summary>
    public static (string Tenant, Guid CallId)? CallOf(string uri)
    {
        var parts = uri.Split('/');
        return parts.Length == 5 && Guid.TryParseExact(parts[4].Split('.')[0], "D", out var call) ? (parts[0], call) : null;
    }

    private static async Task<bool> IsSameAsync(S3Bucket bucket, string uri, string path, CancellationToken ct)
    {
        await using var here = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        await using var there = new FileStream(Path.GetTempFileName(), FileMode.Create, FileAccess.ReadWrite, FileShare.None, 64 * 1024, FileOptions.DeleteOnClose);
        await bucket.GetAsync(uri, there, ct);
        there.Position = 0;
        var (mine, theirs) = (await SHA256.HashDataAsync(here, ct), await SHA256.HashDataAsync(there, ct));
        return mine.AsSpan().SequenceEqual(theirs);
    }

    private async ValueTask<Result<RecordingKey>> IssueAsync(RecordingKeyWish wish, CancellationToken ct)
    {
        try
        {
            return await keys.IssueAsync(wish, ct).AsTask().WaitAsync(KeyPatience, clock, ct);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // Whatever is wrong with the role that has the keys, the call goes on, unrecorded.
            LogNoKey(e, wish.CallId);
            return new Refusal("recording.key_unavailable", e.Message);
        }
    }

    private async Task<RecordingResult?> RepairAsync(string uri, string tenant, Guid callId, CancellationToken ct)
    {
        var path = Path.Combine(place.Folder, uri);
        if (!uri.EndsWith(SealedSuffix, StringComparison.Ordinal))
        {
            return WavRepair.Repair(path) == WavRepairResult.Repaired ? await WavRepair.DescribeAsync(path, ct) : null;
        }

        if (LookAtCut(path) is not { } info)
        {
            return null;
        }

        var opened = await keys.OpenAsync(new(tenant, callId, uri, info.Envelope), ct);
        if (opened.Refusal is { } refusal)
        {
            LogClosed(uri, refusal.Code, refusal.Why);
            return null;
        }

        return SealedRecording.Repair(path, opened.Value.Key);
    }

    // Null when it is finished, while it is being recorded, or when it is not ours.
    private static SealedRecordingInfo? LookAtCut(string path)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
            return SealedRecording.HasEnd(file) ? null : SealedRecording.Look(file);
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static bool IsFinished(string path)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
            return !path.EndsWith(SealedSuffix, StringComparison.Ordinal) || SealedRecording.HasEnd(file);
        }
        catch (IOException)
        {
            return false;
        }
    }

    private IEnumerable<string> Files() => Directory
        .EnumerateFiles(place.Folder, "*", SearchOption.AllDirectories)
        .Where(f => f.EndsWith(SealedSuffix, StringComparison.Ordinal) || f.EndsWith(".wav", StringComparison.Ordinal) || f.EndsWith(".flac", StringComparison.Ordinal))
        .Select(f => Path.GetRelativePath(place.Folder, f))
        .Where(uri => CallOf(uri) is not null);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Count} recordings in {Folder} were not closed properly and have been repaired")]
    private partial void LogRepaired(int count, string folder);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The recording {Uri} was not closed properly and could not be repaired")]
    private partial void LogNotRepaired(Exception e, string uri);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The recording {Uri} was not closed properly and its key cannot be had: {Code} {Why}")]
    private partial void LogClosed(string uri, string code, string why);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The recording {Uri} could not be carried to the bucket; it stays in the folder and is tried again")]
    private partial void LogNotCarried(Exception e, string uri);

    [LoggerMessage(Level = LogLevel.Error, Message = "The bucket holds another recording as {Uri}; this one stays in the folder")]
    private partial void LogOther(string uri);

    [LoggerMessage(Level = LogLevel.Error, Message = "Call {CallId}: no key for its recording; is the write role up?")]
    private partial void LogNoKey(Exception e, Guid callId);
}
