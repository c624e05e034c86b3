using Sentiric.Contracts.Events;

namespace Sentiric.Dialogue;

/// <summary>Questions to the knowledge base, at any time: in the middle of a form the answer comes first and then the open question again.</summary>
internal static class Knowledge
{
    public static void Search(Draft d, string query)
    {
        var id = d.NewWork();
        d.Await(new(id, WorkKind.Knowledge, query));
        d.Do(new SearchTheKnowledge(id, query, d.Setup.Language));
    }

    public static void Answered(Draft d, KnowledgeAnswered answer)
    {
        if (d.Arrived(answer.WorkId, WorkKind.Knowledge) is not { } pending)
        {
            return;
        }

        d.Note(new KnowledgeSearched(d.Now, pending.Query, answer.Hits.Select(h => new KnowledgeHitNoted(h.ArticleId, h.Title, h.Score)).ToArray()));
        if (pending.Rounds is { } rounds)
        {
            LlmEngine.ToolResult(d, pending, rounds, answer.Hits.Count == 0 ? "no article found" : string.Join("\n", answer.Hits.Select(h => $"{h.Title}: {h.Answer}")));
            return;
        }

        if (answer.Hits.Count == 0)
        {
            BuiltInEngine.AfterNoAnswer(d, pending.Query);
            return;
        }

        BuiltInEngine.Understood(d);
        d.Mind = d.Task is null ? d.Mind with { Awaiting = Awaiting.AnythingElse } : d.Mind;
        d.Say(answer.Hits[0].Answer, UtteranceKind.Answer, Form.OpenQuestion(d));
    }
}
