using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;

namespace Sentiric.Write.Users;

internal static class UserCommands
{
    /// <summary>A command that looks at one user and touches nothing else.</summary>
    public static ValueTask<Result<Done>> RunOnUserAsync(
        this CommandRunner runner, Requester who, Guid userId, Func<User, DateTimeOffset, Decision> decide, CancellationToken ct) =>
        runner.RunAsync(who, async (work, token) =>
        {
            var user = await work.FetchAsync<User>(Streams.User(userId), token).ConfigureAwait(false);
            return work.Append(Streams.User(userId), decide(user, work.Now));
        }, ct);
}
