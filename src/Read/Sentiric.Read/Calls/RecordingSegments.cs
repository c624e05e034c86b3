using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Queries;
using Sentiric.EventStore;
using Sentiric.Read.Http;

namespace Sentiric.Read.Calls;

/// <summary>Is a recording still the one that was recorded? The log, which is signed, has the SHA-256 of every stretch as it was written; no key is needed to look.</summary>
public static class RecordingSegments
{
    private const int MaxEvents = 50_000;
    private const int BufferBytes = 64 * 1024;

    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapGet("/calls/{callId:guid}/recording/segments", (HttpContext http, IEventStore store, IRecordingFiles files, Guid callId, CancellationToken ct) =>
                ReadHttp.ForTenantAsync(http, async tenant => await AnswerAsync(store, files, tenant, callId, ct)))
            .WithTags("calls").WithName("CheckRecording").Produces<RecordingVerdict>()
            .WithSummary("Compares each segment of the stored recording with its SHA-256 in the log and names those that differ.");

    private static async Task<IResult> AnswerAsync(IEventStore store, IRecordingFiles files, string tenant, Guid callId, CancellationToken ct)
    {
        if (await SegmentsAsync(store, tenant, callId, ct) is not { Count: > 0 } segments)
        {
            return ReadHttp.Problem("recording.unknown", $"No segment of a recording of call {callId} is known in tenant '{tenant}'.");
        }

        var opened = await files.OpenStoredAsync(segments[0].Uri, ct);
        if (opened.Refusal is { } refusal)
        {
            return ReadHttp.Problem(refusal.Code, refusal.Why);
        }

        await using var file = opened.Value;
        return ReadHttp.Json(await CheckAsync(file, segments, ct));
    }

    /// <summary>The stretches must be whole, unchanged and without a gap between them.</summary>
    public static async Task<RecordingVerdict> CheckAsync(Stream file, IReadOnlyList<RecordingSegmentStored> segments, CancellationToken ct)
    {
        var (checks, next) = (new List<RecordingSegmentCheck>(segments.Count), segments[0].Offset);
        foreach (var segment in segments)
        {
            var found = await HashAsync(file, segment.Offset, segment.Bytes, ct);
            checks.Add(new(
                segment.Number, segment.FromMs, segment.DurationMs, segment.Offset, segment.Bytes, segment.Sha256, found, found == segment.Sha256 && segment.Offset == next));
            next = segment.Offset + segment.Bytes;
        }

        return new(segments[0].Uri, checks.All(c => c.Intact), checks);
    }

    private static async Task<List<RecordingSegmentStored>> SegmentsAsync(IEventStore store, string tenant, Guid callId, CancellationToken ct)
    {
        var segments = new List<RecordingSegmentStored>();
        await foreach (var recorded in store.ReadStreamAsync(tenant, Streams.Call(callId), 1, MaxEvents, ct))
        {
            if (store.Serializer.Deserialize(recorded) is RecordingSegmentStored segment)
            {
                segments.Add(segment);
            }
        }

        return [.. segments.OrderBy(s => s.Number)];
    }

    private static async Task<string?> HashAsync(Stream file, long offset, long bytes, CancellationToken ct)
    {
        if (offset + bytes > file.Length)
        {
            return null;
        }

        file.Position = offset;
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[BufferBytes];
        for (var left = bytes; left > 0;)
        {
            var read = await file.ReadAsync(buffer.AsMemory(0, (int)Math.Min(left, buffer.Length)), ct);
            if (read == 0)
            {
                return null;
            }

            hash.AppendData(buffer, 0, read);
            left -= read;
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
