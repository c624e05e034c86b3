using StackExchange.Redis;

namespace Sentiric.Dialogue;

/// <summary>
/// State and leases in Redis, shared by all processes of the agent role.
/// Keys: sentiric:call:{id}, sentiric:lease:{id}, and the set sentiric:calls.
/// </summary>
public sealed class RedisCallState : ICallState, IDisposable
{
    private const string Calls = "sentiric:calls";
    private const string TakeScript =
        "local o = redis.call('GET', KEYS[1]) if (not o) or o == ARGV[1] then redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) return 1 end return 0";

    private const string ReleaseScript = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0";

    private readonly RedisLink _redis;

    /// <param name="configuration">"host:port,password=...", as StackExchange.Redis reads it.</param>
    public RedisCallState(string configuration) => _redis = new RedisLink(configuration);

    public ValueTask<byte[]?> GetAsync(Guid callId, CancellationToken ct) =>
        AskAsync(async db => (byte[]?)await db.StringGetAsync(StateKey(callId)).ConfigureAwait(false), ct);

    public async ValueTask PutAsync(Guid callId, ReadOnlyMemory<byte> state, TimeSpan expiry, CancellationToken ct)
    {
        var bytes = state.ToArray();
        await AskAsync(async db => await db.StringSetAsync(StateKey(callId), bytes, expiry).ConfigureAwait(false) && await db.SetAddAsync(Calls, callId.ToString("N")).ConfigureAwait(false), ct)
            .ConfigureAwait(false);
    }

    public async ValueTask RemoveAsync(Guid callId, CancellationToken ct) =>
        await AskAsync(async db => await db.SetRemoveAsync(Calls, callId.ToString("N")).ConfigureAwait(false) | await db.KeyDeleteAsync(StateKey(callId)).ConfigureAwait(false), ct)
            .ConfigureAwait(false);

    public ValueTask<IReadOnlyList<Guid>> CallsAsync(int max, CancellationToken ct) => AskAsync(async db =>
    {
        var calls = new List<Guid>();
        foreach (var member in await db.SetMembersAsync(Calls).ConfigureAwait(false))
        {
            var id = Guid.ParseExact(member.ToString(), "N");
            if (calls.Count < max && await db.KeyExistsAsync(StateKey(id)).ConfigureAwait(false))
            {
                calls.Add(id);
            }
            else if (calls.Count < max)
            {
                // Its state has expired: nobody will go on with it.
                await db.SetRemoveAsync(Calls, member).ConfigureAwait(false);
            }
        }

        return (IReadOnlyList<Guid>)calls;
    }, ct);

    public ValueTask<bool> TakeLeaseAsync(Guid callId, string owner, TimeSpan duration, CancellationToken ct) => AskAsync(
        async db => (long)await db.ScriptEvaluateAsync(TakeScript, [LeaseKey(callId)], [owner, (long)duration.TotalMilliseconds]).ConfigureAwait(false) == 1, ct);

    public async ValueTask ReleaseLeaseAsync(Guid callId, string owner, CancellationToken ct) =>
        await AskAsync(async db => (long)await db.ScriptEvaluateAsync(ReleaseScript, [LeaseKey(callId)], [owner]).ConfigureAwait(false), ct).ConfigureAwait(false);

    public void Dispose() => _redis.Dispose();

    private static RedisKey StateKey(Guid callId) => "sentiric:call:" + callId.ToString("N");

    private static RedisKey LeaseKey(Guid callId) => "sentiric:lease:" + callId.ToString("N");

    private async ValueTask<T> AskAsync<T>(Func<IDatabase, Task<T>> question, CancellationToken ct)
    {
        try
        {
            return await _redis.AskAsync(question, ct).ConfigureAwait(false);
        }
        catch (Exception e) when (RedisLink.IsOutage(e))
        {
            throw new CallStateUnavailableException("Redis does not answer; calls go on with the state of their own process.", e);
        }
    }
}
