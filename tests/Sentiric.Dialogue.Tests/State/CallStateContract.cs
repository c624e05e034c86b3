using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Sentiric.Testing;
using Sentiric.Testing.Platform;
using Xunit;

namespace Sentiric.Dialogue.Tests;

/// <summary>What every <see cref="ICallState"/> keeps to.</summary>
public abstract class CallStateContract
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);
    private readonly Guid _call = Guid.NewGuid();

    [SkippableFact]
    public async Task What_was_put_is_got()
    {
        var state = Open();
        await state.PutAsync(_call, Encoding.UTF8.GetBytes("çağrı"), Hour, default);
        await state.PutAsync(_call, Encoding.UTF8.GetBytes("çağrı iki"), Hour, default);
        Assert.Equal("çağrı iki", Encoding.UTF8.GetString(await state.GetAsync(_call, default) ?? []));
        Assert.Contains(_call, await state.CallsAsync(1_000, default));
    }

    [SkippableFact]
    public async Task An_unknown_call_has_no_state() => Assert.Null(await Open().GetAsync(_call, default));

    [SkippableFact]
    public async Task A_removed_call_is_gone()
    {
        var state = Open();
        await state.PutAsync(_call, new byte[] { 1 }, Hour, default);
        await state.RemoveAsync(_call, default);
        await state.RemoveAsync(_call, default);
        Assert.Null(await state.GetAsync(_call, default));
        Assert.DoesNotContain(_call, await state.CallsAsync(1_000, default));
    }

    [SkippableFact]
    public async Task A_state_expires()
    {
        var state = Open();
        await state.PutAsync(_call, new byte[] { 1 }, TimeSpan.FromMilliseconds(200), default);
        await PassAsync(TimeSpan.FromMilliseconds(500), async () => await state.GetAsync(_call, default) is null);
        Assert.Null(await state.GetAsync(_call, default));
        Assert.DoesNotContain(_call, await state.CallsAsync(1_000, default));
    }

    // D26
    [SkippableFact]
    public async Task A_call_belongs_to_one_owner()
    {
        var state = Open();
        Assert.True(await state.TakeLeaseAsync(_call, "a", Hour, default));
        Assert.True(await state.TakeLeaseAsync(_call, "a", Hour, default));
        Assert.False(await state.TakeLeaseAsync(_call, "b", Hour, default));
        await state.ReleaseLeaseAsync(_call, "b", default);
        Assert.False(await state.TakeLeaseAsync(_call, "b", Hour, default));
        await state.ReleaseLeaseAsync(_call, "a", default);
        Assert.True(await state.TakeLeaseAsync(_call, "b", Hour, default));
    }

    [SkippableFact]
    public async Task A_lease_that_is_not_prolonged_ends()
    {
        var state = Open();
        Assert.True(await state.TakeLeaseAsync(_call, "a", TimeSpan.FromMilliseconds(200), default));
        await PassAsync(TimeSpan.FromMilliseconds(500), async () => await state.TakeLeaseAsync(_call, "b", Hour, default));
        Assert.True(await state.TakeLeaseAsync(_call, "b", Hour, default));
    }

    protected abstract ICallState Open();

    /// <summary>Lets time pass until something holds.</summary>
    protected abstract Task PassAsync(TimeSpan time, Func<Task<bool>> until);
}

public sealed class InMemoryCallStateTests : CallStateContract
{
    private readonly ManualTime _time = new();

    protected override ICallState Open() => new InMemoryCallState(_time);

    protected override Task PassAsync(TimeSpan time, Func<Task<bool>> until)
    {
        _time.Advance(time);
        return Task.CompletedTask;
    }
}

[Collection(nameof(RedisServer))]
public sealed class RedisCallStateTests(RedisServer redis) : CallStateContract
{
    protected override ICallState Open() => new RedisCallState(redis.Address ?? throw new SkipException(RedisServer.Absent));

    // Redis has a clock of its own: it is asked until it agrees.
    protected override async Task PassAsync(TimeSpan time, Func<Task<bool>> until)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        while (!await until() && !patience.IsCancellationRequested)
        {
        }
    }
}

[Collection(nameof(RedisServer))]
public sealed class SturdyCallStateTests(RedisServer redis)
{
    [Fact]
    public async Task A_server_that_is_away_is_not_noticed()
    {
        using var nowhere = new RedisCallState("127.0.0.1:1");
        var state = new SturdyCallState(nowhere, new InMemoryCallState(TimeProvider.System), NullLogger<SturdyCallState>.Instance);
        var call = Guid.NewGuid();
        await state.PutAsync(call, new byte[] { 7 }, TimeSpan.FromHours(1), default);
        Assert.Equal([7], await state.GetAsync(call, default));
        Assert.True(await state.TakeLeaseAsync(call, "a", TimeSpan.FromHours(1), default));
        Assert.False(await state.TakeLeaseAsync(call, "b", TimeSpan.FromHours(1), default));
    }

    [SkippableFact]
    public async Task What_one_process_keeps_another_finds()
    {
        using var shared = new RedisCallState(redis.Address ?? throw new SkipException(RedisServer.Absent));
        var call = Guid.NewGuid();
        await new SturdyCallState(shared, new InMemoryCallState(TimeProvider.System), NullLogger<SturdyCallState>.Instance).PutAsync(call, new byte[] { 7 }, TimeSpan.FromHours(1), default);
        Assert.Equal([7], await new SturdyCallState(shared, new InMemoryCallState(TimeProvider.System), NullLogger<SturdyCallState>.Instance).GetAsync(call, default));
    }
}
