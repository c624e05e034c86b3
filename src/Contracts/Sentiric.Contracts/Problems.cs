namespace Sentiric.Contracts;

/// <summary>RFC 9457 problem details: what an API answers when it says no. Written as <c>application/problem+json</c>.</summary>
/// <param name="Type">Stable URN that ends with the code.</param>
/// <param name="Title">The code in words; the same for every occurrence.</param>
/// <param name="Detail">What was wrong this time and what to do.</param>
public sealed record ProblemBody(string Type, string Title, int Status, string Detail, string Code);

/// <summary>The one mapping from a refusal to HTTP, for every side that speaks HTTP.</summary>
public static class Problems
{
    public const string ContentType = "application/problem+json";
    private const string TypePrefix = "urn:sentiric:problem:";

    public static ProblemBody Of(Refusal refusal) =>
        new(TypePrefix + refusal.Code, Title(refusal.Code), StatusOf(refusal.Code), refusal.Why, refusal.Code);

    /// <summary>
    /// 404 for what is not there (<c>*.unknown</c>), 410 for what was destroyed on purpose, 409 for what collides with what is, 400 for a request that cannot be read,
    /// 401/403 for who asks, 413 for too much, 502/503/504 for what lies behind us; everything else is 422.
    /// </summary>
    public static int StatusOf(string code)
    {
        var dot = code.IndexOf('.', StringComparison.Ordinal);
        var subject = dot < 0 ? code : code[..dot];
        var problem = dot < 0 ? "" : code[(dot + 1)..];
        return (subject, problem) switch
        {
            ("auth", _) => 401,
            (_, "forbidden") => 403,
            ("recording", "erased") => 410,
            (_, "unknown") => 404,
            ("media", "session_unknown") => 404,
            ("media", "queue_full" or "not_recording") => 409,
            (_, "too_large") => 413,
            (_, "unavailable" or "tail_unavailable" or "ports_exhausted") => 503,
            (_, "timeout") => 504,
            ("connector", "failed") => 502,
            (_, "exists" or "taken" or "conflict" or "disabled" or "ended" or "withdrawn" or "retired" or "removed" or "archived" or "truncated") => 409,
            (_, "username_taken" or "slot_taken" or "contact_taken" or "not_answered" or "transferring" or "not_bridged" or "too_many_listeners") => 409,
            ("request", _) => 400,
            _ => 422,
        };
    }

    private static string Title(string code)
    {
        var words = code.Replace('.', ' ').Replace('_', ' ');
        return words.Length == 0 ? words : char.ToUpperInvariant(words[0]) + words[1..];
    }
}
