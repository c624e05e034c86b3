using System.Buffers.Binary;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Queries;
using Sentiric.EventStore;
using Sentiric.Read.Http;

namespace Sentiric.Read.Calls;

/// <summary>The waveform of a call and the loss and jitter under it, made when somebody looks: from the recording and from the call's own events.</summary>
public static class CallSound
{
    private const int MaxEvents = 20_000;

    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapGet("/calls/{callId:guid}/media", (HttpContext http, Tables tables, IEventStore store, IRecordingFiles files, Guid callId, CancellationToken ct) =>
                ReadHttp.ForTenantAsync(http, async tenant => await AnswerAsync(tables, store, files, tenant, callId, ct)))
            .WithTags("calls").WithName("GetCallMedia").Produces<CallMedia>().WithSummary("Waveform, loss and jitter of a call over time.");

    private static async Task<IResult> AnswerAsync(Tables tables, IEventStore store, IRecordingFiles files, string tenant, Guid callId, CancellationToken ct)
    {
        if (await CallRecords.FindAsync(tables, tenant, callId, ct) is not { } record)
        {
            return ReadHttp.Problem("call.unknown", $"There is no call {callId} in tenant '{tenant}'.");
        }

        var waveform = record.RecordingUri is { } uri ? await WaveformAsync(files, tenant, callId, uri, ct) : null;
        return ReadHttp.Json(new CallMedia(waveform, await IntervalsAsync(store, tenant, callId, ct)));
    }

    private static async Task<CallWaveform?> WaveformAsync(IRecordingFiles files, string tenant, Guid callId, string uri, CancellationToken ct)
    {
        var opened = await files.OpenAsync(tenant, callId, uri, ct);
        if (!opened.Ok)
        {
            return null;
        }

        await using var content = opened.Value.Content;
        return await Waveform.OfAsync(content, ct);
    }

    private static async Task<IReadOnlyList<MediaInterval>> IntervalsAsync(IEventStore store, string tenant, Guid callId, CancellationToken ct)
    {
        var (intervals, answeredAt, before) = (new List<MediaInterval>(), (DateTimeOffset?)null, (MediaQualityMeasured?)null);
        await foreach (var recorded in store.ReadStreamAsync(tenant, Streams.Call(callId), 1, MaxEvents, ct))
        {
            switch (store.Serializer.Deserialize(recorded))
            {
                case CallAnswered answered:
                    answeredAt = answered.At;
                    break;
                // The last interval ends with the summary, unless a measurement has just been made.
                case MediaQualityMeasured now when answeredAt is { } start && now.Received + now.Lost + now.Late > (before is null ? 0 : before.Received + before.Lost + before.Late):
                    intervals.Add(Between(before, now, start));
                    before = now;
                    break;
            }
        }

        return intervals;
    }

    // Counts are of the whole call until then; a new stream begins to count anew.
    private static MediaInterval Between(MediaQualityMeasured? before, MediaQualityMeasured now, DateTimeOffset start)
    {
        var lost = now.Lost + now.Late - (before is null ? 0 : before.Lost + before.Late);
        return new(
            before is null ? 0 : Ms(before.At - start), Ms(now.At - start), Math.Max(0, now.Received - (before?.Received ?? 0)), Math.Max(0, lost), now.JitterMs, now.Mos);
    }

    private static long Ms(TimeSpan span) => Math.Max(0, (long)span.TotalMilliseconds);
}

/// <summary>Peaks of a stereo WAV file, read once from front to back.</summary>
public static class Waveform
{
    private const int HeaderBytes = 44;
    private const int BlockBytes = 4;
    private const int MaxPeaks = 2_000;
    private const int LeastStepMs = 20;
    private const double FullScale = 32_768;

    /// <summary>Null for anything but 16-bit stereo PCM with a header of 44 bytes, as recordings are.</summary>
    /// <param name="wav">Its length must be known.</param>
    public static async Task<CallWaveform?> OfAsync(Stream wav, CancellationToken ct)
    {
        var header = new byte[HeaderBytes];
        if (await wav.ReadAtLeastAsync(header, HeaderBytes, throwOnEndOfStream: false, ct) < HeaderBytes || !IsStereo(header))
        {
            return null;
        }

        var rate = BinaryPrimitives.ReadInt32LittleEndian(header.AsSpan(24));
        var ms = (wav.Length - HeaderBytes) / BlockBytes * 1_000 / rate;
        var stepMs = (int)Math.Max(LeastStepMs, (ms + MaxPeaks - 1) / MaxPeaks);
        var step = new byte[(long)rate * stepMs / 1_000 * BlockBytes];
        var (caller, agent) = (new List<double>(), new List<double>());
        while (await wav.ReadAtLeastAsync(step, step.Length, throwOnEndOfStream: false, ct) is var count and > 0)
        {
            var (left, right) = Peaks(step.AsSpan(0, count / BlockBytes * BlockBytes));
            caller.Add(left);
            agent.Add(right);
        }

        return new(stepMs, caller, agent);
    }

    private static bool IsStereo(ReadOnlySpan<byte> header) =>
        header[..4].SequenceEqual("RIFF"u8) && header[8..16].SequenceEqual("WAVEfmt "u8) && header[36..40].SequenceEqual("data"u8)
        && BinaryPrimitives.ReadInt16LittleEndian(header[22..]) == 2 && BinaryPrimitives.ReadInt16LittleEndian(header[34..]) == 16
        && BinaryPrimitives.ReadInt32LittleEndian(header[24..]) > 0;

    private static (double Left, double Right) Peaks(ReadOnlySpan<byte> blocks)
    {
        var (left, right) = (0, 0);
        for (; !blocks.IsEmpty; blocks = blocks[BlockBytes..])
        {
            left = Math.Max(left, Math.Abs((int)BinaryPrimitives.ReadInt16LittleEndian(blocks)));
            right = Math.Max(right, Math.Abs((int)BinaryPrimitives.ReadInt16LittleEndian(blocks[2..])));
        }

        return (Math.Round(left / FullScale, 3), Math.Round(right / FullScale, 3));
    }
}
