using System.Collections.Concurrent;
using System.Net;

namespace Sentiric.Sip;

/// <summary>One contact of an address of record (RFC 3261 10).</summary>
/// <param name="Source">Where the REGISTER came from: the way back through NAT.</param>
/// <param name="Transport">What it came over.</param>
public sealed record SipLocation(SipUri Contact, string CallId, uint CSeq, DateTimeOffset ExpiresAt, IPEndPoint Source, SipTransportKind Transport)
{
    /// <summary>The way that the phone holds open: calls to it go there, whatever address its contact names (RFC 5626).</summary>
    public SipFlow Flow => new(Transport, Source);

    /// <summary>Since when the contact is known without a gap; null where that was not noted.</summary>
    public DateTimeOffset? RegisteredAt { get; init; }

    /// <summary>What the phone says that it is, cut to <see cref="LongestUserAgent"/> printable characters; null when it says nothing.</summary>
    public string? UserAgent { get; init; }

    /// <summary>The phone's wish for an order among its contacts, 0 to 1 (RFC 3261 20.10); null when it has none.</summary>
    public double? Q { get; init; }

    public const int LongestUserAgent = 200;
}

/// <summary>Contacts by address of record.</summary>
public interface ILocationStore
{
    ValueTask<IReadOnlyList<SipLocation>> FindAsync(string addressOfRecord, CancellationToken ct);

    /// <summary>Of each address its contacts, in the order of the addresses; none for one that is not registered.</summary>
    ValueTask<IReadOnlyList<IReadOnlyList<SipLocation>>> FindAllAsync(IReadOnlyList<string> addressesOfRecord, CancellationToken ct);

    /// <summary>Replaces the contacts by what <paramref name="change"/> makes of them, with no other change between. An empty list removes the address.</summary>
    ValueTask<IReadOnlyList<SipLocation>> UpdateAsync(
        string addressOfRecord, Func<IReadOnlyList<SipLocation>, IReadOnlyList<SipLocation>> change, CancellationToken ct);
}

/// <summary>Contacts in memory.</summary>
public sealed class MemoryLocationStore : ILocationStore
{
    private readonly ConcurrentDictionary<string, IReadOnlyList<SipLocation>> contacts = new(StringComparer.Ordinal);
    private readonly Lock gate = new();

    public ValueTask<IReadOnlyList<SipLocation>> FindAsync(string addressOfRecord, CancellationToken ct) =>
        ValueTask.FromResult(contacts.GetValueOrDefault(addressOfRecord) ?? []);

    public ValueTask<IReadOnlyList<IReadOnlyList<SipLocation>>> FindAllAsync(IReadOnlyList<string> addressesOfRecord, CancellationToken ct) =>
        ValueTask.FromResult<IReadOnlyList<IReadOnlyList<SipLocation>>>([.. addressesOfRecord.Select(address => contacts.GetValueOrDefault(address) ?? [])]);

    public ValueTask<IReadOnlyList<SipLocation>> UpdateAsync(
        string addressOfRecord, Func<IReadOnlyList<SipLocation>, IReadOnlyList<SipLocation>> change, CancellationToken ct)
    {
        lock (gate)
        {
            IReadOnlyList<SipLocation> changed = change(contacts.GetValueOrDefault(addressOfRecord) ?? []);
            if (changed.Count == 0)
            {
                contacts.TryRemove(addressOfRecord, out _);
            }
            else
            {
                contacts[addressOfRecord] = changed;
            }

            return ValueTask.FromResult(changed);
        }
    }
}
