using Sentiric.Contracts;
using Sentiric.Contracts.Services;

namespace Sentiric.Dialogue;

/// <summary>Looks things up and gets them done for a conversation; whatever happens is reported as an answer. Shared by calls and chats.</summary>
internal sealed class Errands(AgentPorts ports, string tenant, Guid callId)
{
    private static readonly TimeSpan KnowledgePatience = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan ToolPatience = TimeSpan.FromSeconds(15);

    public async Task<DialogueInput> SearchAsync(SearchTheKnowledge search, CancellationToken ct)
    {
        try
        {
            using var patience = new CancellationTokenSource(KnowledgePatience, ports.Time);
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct, patience.Token);
            var hits = await ports.Knowledge.SearchAsync(new(tenant, search.Query, search.Language), limit.Token).ConfigureAwait(false);
            return new KnowledgeAnswered(ports.Time.GetUtcNow(), search.WorkId, hits);
        }
        catch (Exception) when (!ct.IsCancellationRequested)
        {
            // A knowledge base that is away knows nothing: the caller is told so and the conversation goes on.
            return new KnowledgeAnswered(ports.Time.GetUtcNow(), search.WorkId, []);
        }
    }

    public async Task<DialogueInput> CallAsync(CallTool call, CancellationToken ct)
    {
        var began = ports.Time.GetTimestamp();
        var result = await ExecuteAsync(call, ct).ConfigureAwait(false);
        var took = (long)ports.Time.GetElapsedTime(began).TotalMilliseconds;
        return result.Match<DialogueInput>(
            ok => new ToolAnswered(ports.Time.GetUtcNow(), call.WorkId, ok.Values, null, null, took),
            no => new ToolAnswered(ports.Time.GetUtcNow(), call.WorkId, new Dictionary<string, string>(), no.Code, no.Why, took));
    }

    private async Task<Result<ConnectorOutcome>> ExecuteAsync(CallTool call, CancellationToken ct)
    {
        using var patience = new CancellationTokenSource(ToolPatience, ports.Time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct, patience.Token);
        try
        {
            return await ports.Connectors.ExecuteAsync(new(tenant, call.Connector, call.Action, call.Parameters, call.IdempotencyKey, callId), limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return new Refusal("connector.timeout", $"The connector did not answer within {ToolPatience.TotalSeconds:0} s.");
        }
        catch (Exception e) when (!ct.IsCancellationRequested)
        {
            return new Refusal("connector.failed", e.Message);
        }
    }
}
