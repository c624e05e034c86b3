using Sentiric.Contracts.Queries;

namespace Sentiric.Cli.Commands;

internal static class EraseCommand
{
    public static Command Command { get; } = new(
        "erase", "forgetting a person for good",
        """
        sentiric erase SUBJECT --dry-run       what would be erased; SUBJECT is a user id or a phone number
        sentiric erase SUBJECT --reason WHY    erases it; the reason is kept, so put no name into it
        sentiric erase receipt ID              the signed receipt of an erasure
        sentiric erase rewrap                  wraps every data key with the first master key, so that an old one can be removed
        What is erased cannot be brought back.
        """,
        ["--reason"], ["--dry-run"], RunAsync);

    private sealed record Wish(string Subject, string? Reason, bool DryRun);

    private static async Task<int> RunAsync(Session session, CancellationToken ct)
    {
        var told = session.Arguments;
        var subject = told.Word(0, "a user id or a phone number");
        if (subject == "receipt")
        {
            return await ReceiptAsync(session, told.Id(1, "id of an erasure"), ct);
        }

        told.NoMoreThan(1);
        if (subject == "rewrap")
        {
            var done = await session.Api.PostPatientlyAsync<RewrapReply>("v1/erasures/master-key", null, ct);
            if (session.Json) return session.PrintJson(done);
            session.Terminal.Line($"Every data key is wrapped with master key {done.KeyId}; older master keys may be removed, copies included.");
            return Cli.Ok;
        }

        var dry = told.Has("--dry-run");
        var reply = await session.Api.PostAsync<ErasureReply>("v1/erasures", new Wish(subject, dry ? null : told.Needed("--reason"), dry), ct);
        if (session.Json) return session.PrintJson(reply);
        session.Terminal.Line(dry
            ? $"{reply.Keys} keys would be destroyed; the person occurs in {reply.Streams.Count} streams:"
            : $"Erasure {reply.Id} is {reply.State}: {reply.Keys} keys destroyed, {reply.Streams.Count} streams blank.");
        foreach (var stream in dry ? reply.Streams : [])
        {
            session.Terminal.Line($"  {stream}");
        }

        return Print(session, reply);
    }

    private static async Task<int> ReceiptAsync(Session session, Guid id, CancellationToken ct)
    {
        session.Arguments.NoMoreThan(2);
        if (session.Json) return await session.PrintJsonAsync($"v1/erasures/{id}", ct);
        return Print(session, await session.Api.GetAsync<ErasureReply>($"v1/erasures/{id}", ct));
    }

    private static int Print(Session session, ErasureReply reply)
    {
        if (reply.Receipt is { } receipt)
        {
            session.Terminal.Line(receipt.Receipt);
            session.Terminal.Line($"{receipt.Algorithm} by key {receipt.KeyId}: {receipt.Signature}");
            if (receipt.AuditSignature is { } signature) session.Terminal.Line($"ECDSA-P256-SHA256 by audit key {receipt.AuditKeyId}: {signature}");
        }

        return Cli.Ok;
    }
}
