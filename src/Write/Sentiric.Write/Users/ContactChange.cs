using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;

namespace Sentiric.Write.Users;

/// <summary>What adding and removing a contact share: the user and the owner of the contact's value change together or not at all.</summary>
internal static class ContactChange
{
    public static ValueTask<Result<Done>> RunAsync(
        CommandRunner runner, Requester who, Guid userId, ContactType type, string written,
        Func<string, User, DateTimeOffset, Decision> decide, Func<ContactOwner, string, DateTimeOffset, Decision> own, CancellationToken ct) =>
        runner.RunAsync(who, async (work, token) =>
        {
            var value = ContactValue.Normalize(type, written);
            if (value.Refusal is { } invalid)
            {
                return invalid;
            }

            var (user, contact) = (Streams.User(userId), Streams.Contact(type, value.Value));
            var decision = decide(value.Value, await work.FetchAsync<User>(user, token).ConfigureAwait(false), work.Now);
            var owner = await work.FetchAsync<ContactOwner>(contact, token).ConfigureAwait(false);
            return work.Append(user, decision) ?? (decision.Facts.Count == 0 ? null : work.Append(contact, own(owner, value.Value, work.Now)));
        }, ct);
}
