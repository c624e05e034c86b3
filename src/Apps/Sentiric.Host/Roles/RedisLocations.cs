using System.Net;
using System.Text.Json;
using Sentiric.Dialogue;
using Sentiric.Sip;
using StackExchange.Redis;

namespace Sentiric.Host.Roles;

/// <summary>
/// Where registered phones are, in Redis: a restart of the sip role forgets none. Key sentiric:phone:{address of record}, which expires with the last contact.
/// While Redis does not answer, the process goes on with what it knows itself; a phone's next REGISTER puts it into Redis again.
/// </summary>
public sealed partial class RedisLocations(RedisLink redis, TimeProvider clock, ILogger<RedisLocations> logger) : ILocationStore, IDisposable
{
    private const int MostTries = 10;
    private static readonly TimeSpan Shortest = TimeSpan.FromSeconds(1);
    private readonly MemoryLocationStore _own = new();
    private int _isOut;

    public async ValueTask<IReadOnlyList<SipLocation>> FindAsync(string addressOfRecord, CancellationToken ct)
    {
        try
        {
            var found = Read(await redis.AskAsync(db => db.StringGetAsync(KeyOf(addressOfRecord)), ct));
            IsBack();
            return found;
        }
        catch (Exception e) when (RedisLink.IsOutage(e))
        {
            IsOut(e);
            return await _own.FindAsync(addressOfRecord, ct);
        }
    }

    public async ValueTask<IReadOnlyList<IReadOnlyList<SipLocation>>> FindAllAsync(IReadOnlyList<string> addressesOfRecord, CancellationToken ct)
    {
        if (addressesOfRecord.Count == 0)
        {
            return [];
        }

        try
        {
            var found = await redis.AskAsync(db => db.StringGetAsync([.. addressesOfRecord.Select(KeyOf)]), ct);
            IsBack();
            return [.. found.Select(Read)];
        }
        catch (Exception e) when (RedisLink.IsOutage(e))
        {
            IsOut(e);
            return await _own.FindAllAsync(addressesOfRecord, ct);
        }
    }

    public async ValueTask<IReadOnlyList<SipLocation>> UpdateAsync(
        string addressOfRecord, Func<IReadOnlyList<SipLocation>, IReadOnlyList<SipLocation>> change, CancellationToken ct)
    {
        try
        {
            var changed = await redis.AskAsync(db => ExchangeAsync(db, KeyOf(addressOfRecord), change), ct);
            IsBack();
            return await _own.UpdateAsync(addressOfRecord, _ => changed, ct);
        }
        catch (Exception e) when (RedisLink.IsOutage(e))
        {
            IsOut(e);
            return await _own.UpdateAsync(addressOfRecord, change, ct);
        }
    }

    public void Dispose() => redis.Dispose();

    // Another process may write between our reading and our writing; then we begin anew.
    private async Task<IReadOnlyList<SipLocation>> ExchangeAsync(IDatabase db, RedisKey key, Func<IReadOnlyList<SipLocation>, IReadOnlyList<SipLocation>> change)
    {
        for (var left = MostTries; left > 0; left--)
        {
            var before = await db.StringGetAsync(key);
            var changed = change(Read(before));
            var exchange = db.CreateTransaction();
            exchange.AddCondition(before.IsNull ? Condition.KeyNotExists(key) : Condition.StringEqual(key, before));
            _ = changed.Count == 0
                ? exchange.KeyDeleteAsync(key)
                : exchange.StringSetAsync(key, Write(changed), Lasts(changed));
            if (await exchange.ExecuteAsync())
            {
                return changed;
            }
        }

        throw new TimeoutException($"{key} was changed by others {MostTries} times in a row.");
    }

    private TimeSpan Lasts(IReadOnlyList<SipLocation> contacts)
    {
        var longest = contacts.Max(contact => contact.ExpiresAt) - clock.GetUtcNow();
        return longest > Shortest ? longest : Shortest;
    }

    private static RedisKey KeyOf(string addressOfRecord) => "sentiric:phone:" + addressOfRecord;

    private static string Write(IReadOnlyList<SipLocation> contacts) => JsonSerializer.Serialize(contacts.Select(contact => new Stored(
        contact.Contact.ToString(), contact.CallId, contact.CSeq, contact.ExpiresAt, contact.Source.ToString(), contact.Transport,
        contact.RegisteredAt, contact.UserAgent, contact.Q)));

    private static IReadOnlyList<SipLocation> Read(RedisValue value) => value.IsNullOrEmpty
        ? []
        : [.. (JsonSerializer.Deserialize<Stored[]>((string)value!) ?? []).Select(contact => new SipLocation(
            SipUri.Parse(contact.Contact), contact.CallId, contact.CSeq, contact.ExpiresAt, IPEndPoint.Parse(contact.Source), contact.Transport)
        {
            RegisteredAt = contact.RegisteredAt, UserAgent = contact.UserAgent, Q = contact.Q,
        })];

    private void IsOut(Exception e)
    {
        if (Interlocked.Exchange(ref _isOut, 1) == 0)
        {
            LogOut(e.Message);
        }
    }

    private void IsBack()
    {
        if (Interlocked.Exchange(ref _isOut, 0) == 1)
        {
            LogBack();
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Redis does not answer ({Why}); registered phones are remembered by this process alone until it does")]
    private partial void LogOut(string why);

    [LoggerMessage(Level = LogLevel.Information, Message = "Redis answers again; phones are in it from their next REGISTER on")]
    private partial void LogBack();

    // What older processes wrote ends with the transport.
    private sealed record Stored(
        string Contact, string CallId, uint CSeq, DateTimeOffset ExpiresAt, string Source, SipTransportKind Transport,
        DateTimeOffset? RegisteredAt = null, string? UserAgent = null, double? Q = null);
}
