using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.EventStore;
using Sentiric.Write.Tenants;

namespace Sentiric.Write;

/// <summary>Who asks, and for which tenant.</summary>
/// <param name="Actor">For the audit: the name of an API key, a role, a user.</param>
public sealed record Requester(string Tenant, string Actor);

/// <summary>Something that can be done to the business; each one tells its own story.</summary>
public interface ICommand
{
    ValueTask<Result<Done>> RunAsync(CommandRunner runner, Requester who, CancellationToken ct);
}

/// <summary>Fetch, decide, append; and once more from the start when somebody else was faster.</summary>
public sealed class CommandRunner(IEventStore store, TimeProvider clock)
{
    /// <summary>After so many lost races the caller is told <c>request.conflict</c> and may try again.</summary>
    public const int MaxTries = 5;

    /// <summary>
    /// Runs a story. It returns a refusal or null; then what it appended is stored, all or nothing.
    /// Throws <see cref="EventStoreUnavailableException"/> when the storage cannot be reached.
    /// </summary>
    public async ValueTask<Result<Done>> RunAsync(
        Requester who, Func<UnitOfWork, CancellationToken, ValueTask<Refusal?>> story, CancellationToken ct, bool tenantMustExist = true)
    {
        for (var attempt = 1; attempt <= MaxTries; attempt++)
        {
            var work = new UnitOfWork(store, who.Tenant, clock.GetUtcNow());
            var refusal = tenantMustExist ? await UnknownTenantAsync(work, ct).ConfigureAwait(false) : null;
            refusal ??= await story(work, ct).ConfigureAwait(false);
            if (refusal is not null)
            {
                return refusal;
            }

            if (!work.HasFacts || await StoredAsync(work, who, ct).ConfigureAwait(false))
            {
                return Done.It;
            }
        }

        return new Refusal("request.conflict", $"Others changed the same thing {MaxTries} times while this was being decided; send it again.");
    }

    private static async ValueTask<Refusal?> UnknownTenantAsync(UnitOfWork work, CancellationToken ct) =>
        await work.FetchAsync<Tenant>(Streams.Tenant(work.Tenant), ct).ConfigureAwait(false) is { Created: null }
            ? new Refusal("tenant.unknown", $"There is no tenant '{work.Tenant}'; create it first.")
            : null;

    private async ValueTask<bool> StoredAsync(UnitOfWork work, Requester who, CancellationToken ct)
    {
        try
        {
            await store.AppendToStreamsAsync(work.Tenant, work.Appends(who.Actor), ct).ConfigureAwait(false);
            return true;
        }
        catch (WrongExpectedVersionException)
        {
            return false;
        }
    }
}
