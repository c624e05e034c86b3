using Sentiric.Contracts;
using Sentiric.Contracts.Services;

namespace Sentiric.Host.Ports;

/// <summary><see cref="IRecordingKeys"/> over HTTP, both ends.</summary>
public sealed class RecordingKeysPort(HttpClient client) : IRecordingKeys
{
    private const string Keys = PortHttp.Prefix + "/recording-keys";

    public ValueTask<Result<RecordingKey>> IssueAsync(RecordingKeyWish wish, CancellationToken ct) =>
        client.AskAsync<RecordingKeyWish, RecordingKey>(Keys + "/issue", wish, ct);

    public ValueTask<Result<RecordingKey>> OpenAsync(RecordingEnvelope envelope, CancellationToken ct) =>
        client.AskAsync<RecordingEnvelope, RecordingKey>(Keys + "/open", envelope, ct);

    public static void Map(IEndpointRouteBuilder routes, IRecordingKeys keys)
    {
        routes.MapQuestion<RecordingKeyWish, RecordingKey>(Keys + "/issue", keys.IssueAsync);
        routes.MapQuestion<RecordingEnvelope, RecordingKey>(Keys + "/open", keys.OpenAsync);
    }
}
