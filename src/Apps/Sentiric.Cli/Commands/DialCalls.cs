using Sentiric.Cli.Show;
using Sentiric.Contracts.Events;

namespace Sentiric.Cli.Commands;

/// <summary>What the command "calls" does to calls: begins, transfers and ends them.</summary>
internal static class DialCalls
{
    private const int UsualRing = 45, LeastRing = 5, MostRing = 180;

    public static async Task<int> DialAsync(Session session, CancellationToken ct)
    {
        var told = session.Arguments;
        told.NoMoreThan(2);
        var wish = new Wish(told.Word(1, "number to call"), told.Needed("--from"), told.Needed("--plan"), Guid.CreateVersion7(session.Time.GetUtcNow()),
            told.Has("--withhold"), told.Number("--ring", UsualRing, LeastRing, MostRing));
        return told.Has("--follow") ? await FollowAsync(session, wish, ct) : await AskAsync(session, wish, ct);
    }

    public static async Task<int> TransferAsync(Session session, CancellationToken ct)
    {
        var id = session.Arguments.Id(1, "call id");
        var number = session.Arguments.Word(2, "number to transfer to");
        session.Arguments.NoMoreThan(3);
        await session.Api.PostAsync($"v1/calls/{id}/transfer", new TransferWish(number), ct);
        session.Terminal.Line($"{id} is being transferred; 'sentiric calls events {id}' tells what comes of it");
        return Cli.Ok;
    }

    public static async Task<int> HangUpAsync(Session session, CancellationToken ct)
    {
        var id = session.Arguments.Id(1, "call id");
        session.Arguments.NoMoreThan(2);
        await session.Api.PostAsync($"v1/calls/{id}/terminate", ct);
        session.Terminal.Line($"{id} is asked to end");
        return Cli.Ok;
    }

    private static async Task<int> AskAsync(Session session, Wish wish, CancellationToken ct)
    {
        var placed = await session.Api.PostAsync<Placed>("v1/calls", wish, ct);
        session.Terminal.Line($"{placed.CallId}");
        return Cli.Ok;
    }

    /// <summary>Done when the call was answered and ended; failed when nobody answered.</summary>
    private static async Task<int> FollowAsync(Session session, Wish wish, CancellationToken ct)
    {
        var opened = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var following = UntilEndedAsync(session, wish.CallId, opened, over.Token);
        if (await Task.WhenAny(opened.Task, following) == following) return await following;
        await AskAsync(session, wish, ct);
        return await following;
    }

    private static async Task<int> UntilEndedAsync(Session session, Guid callId, TaskCompletionSource opened, CancellationToken ct)
    {
        var lines = new EventLines(session.Terminal, withCall: false);
        await foreach (var envelope in session.Api.EventsAsync(callId, () => opened.TrySetResult(), ct))
        {
            foreach (var line in lines.Of(envelope)) session.Terminal.Line(line);
            if (envelope.Decode() is CallEnded ended) return ended.Answered ? Cli.Ok : Cli.Failed;
        }

        throw new CliException("platform.gone", "The stream of events broke off before the call was over.");
    }

    private sealed record Wish(string To, string From, string DialplanId, Guid CallId, bool Withheld, int RingSeconds);

    private sealed record TransferWish(string To);

    private sealed record Placed(Guid CallId);
}
