using System.Security.Cryptography;
using Sentiric.Contracts.Queries;

namespace Sentiric.Cli.Demo;

/// <summary>Whether the recording is there and is what the platform says it is.</summary>
/// <param name="Where">Path of the file, or the URL from which it was fetched where its folder is not ours.</param>
/// <param name="Fault">Absent when all is well.</param>
internal sealed record RecordingCheck(string? Where, string? Sha256, long Bytes, string? Fault)
{
    public static async Task<RecordingCheck> OfAsync(Session session, CallRecord call, CancellationToken ct)
    {
        if (call.RecordingUri is not { } uri) return new(null, null, 0, "there is none");
        var folder = session.Setting("SENTIRIC_RECORDINGS") ?? session.Setting("Recording__Folder");
        var path = folder is null ? null : Path.Combine(folder, uri);
        // A sealed file is of no use to us; the platform hands out what is in it.
        var (where, bytes) = path is not null && !path.EndsWith(".sealed", StringComparison.Ordinal) && File.Exists(path)
            ? (path, await File.ReadAllBytesAsync(path, ct))
            : ($"{session.Api.Url}/v1/calls/{call.CallId}/recording", await FetchAsync(session.Api, call.CallId, ct));
        var hash = Convert.ToHexStringLower(SHA256.HashData(bytes));
        return new(where, hash, bytes.Length, hash == call.RecordingSha256 ? null : $"{where} has the SHA-256 {hash}, the call record says {call.RecordingSha256}");
    }

    private static async Task<byte[]> FetchAsync(Api api, Guid callId, CancellationToken ct)
    {
        using var memory = new MemoryStream();
        await api.DownloadAsync($"v1/calls/{callId}/recording", memory, ct);
        return memory.ToArray();
    }
}
